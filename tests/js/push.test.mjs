import assert from "node:assert/strict";
import { test } from "node:test";

import { Push } from "../../voice/static/voice/push.js";

const after = (...steps) => {
  const push = new Push();
  for (const [what, now] of steps) push[what](now);
  return push.held;
};

test("who keeps pressing talks until they let go", () => {
  assert.equal(after(["press", 0]), true);
  assert.equal(after(["press", 0], ["release", 1_000]), false);
});

test("who taps talks until they tap again", () => {
  assert.equal(after(["press", 0], ["release", 100]), true);
  assert.equal(after(["press", 0], ["release", 100], ["press", 3_000]), false);
  assert.equal(after(["press", 0], ["release", 100], ["press", 3_000], ["release", 4_000]), false);
});

test("a button that comes up by itself changes nothing", () => assert.equal(after(["release", 5_000]), false));

test("what was cancelled is over, and the next press begins anew", () => {
  assert.equal(after(["press", 0], ["cancel", 10]), false);
  assert.equal(after(["press", 0], ["cancel", 10], ["press", 20]), true);
});
