import assert from "node:assert/strict";
import { test } from "node:test";

import { PreRoll } from "../../voice/static/voice/preroll.js";

const milliseconds = (preRoll) => preRoll.samples; // at 1 kHz

test("each underrun makes the pre-roll longer, up to 400 ms", () => {
  const preRoll = new PreRoll(1_000);
  const first = milliseconds(preRoll);
  preRoll.underrun();
  assert.ok(milliseconds(preRoll) > first);
  for (let n = 0; n < 20; n++) preRoll.underrun();
  assert.equal(milliseconds(preRoll), 400);
});

test("ten calm seconds make it shorter, down to a frame", () => {
  const preRoll = new PreRoll(1_000);
  preRoll.underrun();
  const before = milliseconds(preRoll);
  preRoll.played(9_999);
  assert.equal(milliseconds(preRoll), before);
  preRoll.played(1);
  assert.ok(milliseconds(preRoll) < before);
  for (let n = 0; n < 100; n++) preRoll.played(10_000);
  assert.equal(milliseconds(preRoll), 40);
});
