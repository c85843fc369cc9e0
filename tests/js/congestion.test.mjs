import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Congestion } from "../../voice/static/voice/congestion.js";

const SECOND = 48_000; // bytes of the microphone
let congestion;

beforeEach(() => { congestion = new Congestion(); });

test("a network that takes what comes is free", () => {
  assert.deepEqual([0, SECOND, 2 * SECOND - 1].map((unsent) => congestion.look(unsent, 0)), ["free", "free", "free"]);
});

test("once two seconds of speech wait, no more is sent until nearly all has left", () => {
  assert.equal(congestion.look(2 * SECOND, 0), "full");
  assert.equal(congestion.look(SECOND, 1_000), "full");
  assert.equal(congestion.look(SECOND / 4, 2_000), "free");
  assert.equal(congestion.look(SECOND, 3_000), "free");
});

test("a network that has been full for eight seconds is gone", () => {
  congestion.look(2 * SECOND, 1_000);
  assert.equal(congestion.look(2 * SECOND, 8_999), "full");
  assert.equal(congestion.look(2 * SECOND, 9_000), "gone");
});

test("the eight seconds begin anew each time", () => {
  congestion.look(2 * SECOND, 0);
  congestion.look(0, 7_000);
  congestion.look(2 * SECOND, 7_500);
  assert.equal(congestion.look(2 * SECOND, 15_000), "full");
});
