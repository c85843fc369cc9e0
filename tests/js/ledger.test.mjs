import assert from "node:assert/strict";
import { test } from "node:test";

import { PlaybackLedger } from "../../voice/static/voice/ledger.js";

const ledgerAt1kHz = () => new PlaybackLedger(1_000); // a sample is a millisecond
const played = (ledger, id) => ledger.report(id).played_ms;

test("what is played is counted for the item whose turn it is, then for the next", () => {
  const ledger = ledgerAt1kHz();
  ledger.receive("a", 100);
  ledger.finish("a");
  ledger.receive("b", 100);
  assert.deepEqual(ledger.play(60), []);
  assert.deepEqual(ledger.play(60), ["a"]);
  assert.equal(ledger.current, "b");
  assert.deepEqual([played(ledger, "a"), played(ledger, "b")], [100, 20]);
});

test("an item is over when all of it was played and no more will come, in whichever order", () => {
  const ledger = ledgerAt1kHz();
  ledger.receive("a", 100);
  assert.deepEqual(ledger.play(100), []);
  assert.deepEqual(ledger.finish("a"), ["a"]);
});

test("a new item completes the one before it", () => {
  const ledger = ledgerAt1kHz();
  ledger.receive("a", 100);
  ledger.play(100);
  assert.deepEqual(ledger.receive("b", 10), ["a"]);
});

test("a stop drops what is not played of the item and of later ones", () => {
  const ledger = ledgerAt1kHz();
  ledger.receive("a", 100);
  ledger.receive("b", 50);
  ledger.play(30);
  assert.deepEqual(ledger.stop("a"), { stopped: ["a", "b"], dropped: 120 });
  assert.deepEqual([played(ledger, "a"), played(ledger, "b")], [30, 0]);
  assert.equal(ledger.current, null);
});

test("a stop of a later item leaves the earlier one playing", () => {
  const ledger = ledgerAt1kHz();
  ledger.receive("a", 100);
  ledger.receive("b", 50);
  assert.deepEqual(ledger.stop("b"), { stopped: ["b"], dropped: 50 });
  assert.equal(ledger.current, "a");
});

test("audio of a stopped item is refused, also if it had not come before the stop", () => {
  const ledger = ledgerAt1kHz();
  ledger.receive("a", 100);
  ledger.stop("a");
  ledger.stop("never_came");
  assert.ok(!ledger.accepts("a"));
  assert.ok(!ledger.accepts("never_came"));
  assert.ok(ledger.accepts("b"));
});

test("the count of a stopped item stays what it was, through later items and later stops", () => {
  const ledger = ledgerAt1kHz();
  ledger.receive("a", 100);
  ledger.play(30);
  ledger.stop();
  ledger.receive("b", 100);
  ledger.play(70);
  assert.deepEqual(ledger.stop("a"), { stopped: [], dropped: 0 });
  assert.deepEqual([played(ledger, "a"), played(ledger, "b")], [30, 70]);
});

test("an underrun belongs to the current item", () => {
  const ledger = ledgerAt1kHz();
  ledger.underrun();
  ledger.receive("a", 10);
  ledger.underrun();
  assert.equal(ledger.report("a").underruns, 1);
});

test("of an item that never came, nothing was played", () => {
  assert.equal(played(ledgerAt1kHz(), "x"), 0);
});

test("a long conversation does not fill the memory, and the last items are known", () => {
  const ledger = ledgerAt1kHz();
  for (let n = 0; n < 1_000; n++) {
    ledger.receive(`item_${n}`, 5);
    ledger.finish(`item_${n}`);
    ledger.play(5);
  }
  assert.equal(played(ledger, "item_999"), 5);
  assert.equal(played(ledger, "item_0"), 0);
});
