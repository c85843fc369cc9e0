import assert from "node:assert/strict";
import { test } from "node:test";

import { RULES, ReconnectPolicy } from "../../voice/static/voice/reconnect.js";
import { rows } from "./documented.mjs";

/** The delays for one loss after another, until there is none. `random` is 1: the longest. */
function delays(code, { retryAfterMs = null, random = () => 1 } = {}) {
  const policy = new ReconnectPolicy(random);
  const found = [];
  for (let delay = 0; delay !== null && found.length < 20;) {
    delay = policy.lost({ code, retryAfterMs, now: 0 });
    if (delay !== null) found.push(delay);
  }
  return found;
}

test("there is a rule for each documented code", () => {
  assert.deepEqual(Object.keys(RULES), rows("How a session ends").map(([code]) => code));
});

for (const [code, , retry] of rows("How a session ends")) {
  if (/^no\b/.test(retry)) {
    test(`${code} is final, as documented`, () => assert.deepEqual(delays(code), []));
  } else {
    test(`${code} is tried again, as documented`, () => assert.notDeepEqual(delays(code), []));
  }
}

test("a lost login is tried once more, with a fresh ticket", () => assert.deepEqual(delays(4401), [1_000]));
test("an internal error is tried once more", () => assert.deepEqual(delays(4500), [1_000]));
test("a lost upstream is tried three times", () => assert.deepEqual(delays(4502), [1_000, 2_000, 4_000]));
test("an overloaded server is tried five times", () => {
  assert.deepEqual(delays(4513), [1_000, 2_000, 4_000, 8_000, 15_000]);
});
test("a lost connection is tried three times", () => assert.deepEqual(delays(1006), [1_000, 2_000, 4_000]));
test("an unknown code is tried three times", () => assert.deepEqual(delays(4999), [1_000, 2_000, 4_000]));
test("a server that restarts is dialled again within three seconds", () => assert.equal(delays(4512)[0], 3_000));

test("nothing makes us dial more than once a second", () => {
  for (const code of Object.keys(RULES)) assert.ok(delays(code, { random: () => 0 }).every((delay) => delay >= 1_000));
});

test("a told delay is obeyed", () => assert.equal(delays(4429, { retryAfterMs: 5_000 })[0], 5_000));
test("who is told to wait for minutes presses again", () => assert.deepEqual(delays(4429, { retryAfterMs: 600_000 }), []));

test("a server that restarts may need half a minute until somebody answers", () => {
  const policy = new ReconnectPolicy(() => 1);
  const losses = [4512, 1006, 1006, 1006, 1006, 1006].map((code) => policy.lost({ code, now: 0 }));
  assert.deepEqual(losses, [3_000, 2_000, 4_000, 8_000, 15_000, null]);
});

test("a network that fails in a session after a restart is an ordinary loss", () => {
  const policy = new ReconnectPolicy(() => 1);
  policy.lost({ code: 4512, now: 0 });
  policy.ready(1_000);
  assert.deepEqual([2_000, 3_000, 62_000].map((now) => policy.lost({ code: 1006, now })), [2_000, 4_000, null]);
});

test("while a lost conversation waits there, for a minute, a server or a network that is gone is dialled", () => {
  const policy = new ReconnectPolicy(() => 1);
  policy.ready(0);
  const losses = [];
  for (let now = 1_000, delay = 0; delay !== null; now += delay) losses.push(delay = policy.lost({ code: 1006, now }));
  assert.deepEqual(losses, [1_000, 2_000, 4_000, 8_000, 8_000, 8_000, 8_000, 8_000, 8_000, 8_000, null]);
});

test("but not against a server that says no", () => {
  const policy = new ReconnectPolicy(() => 1);
  policy.ready(0);
  policy.lost({ code: 1006, now: 0 });
  assert.equal(policy.lost({ code: 4503, now: 1_000 }), null);
});

test("half a minute of a healthy session gives all attempts back", () => {
  const policy = new ReconnectPolicy(() => 1);
  assert.equal(policy.lost({ code: 4500, now: 0 }), 1_000);
  policy.ready(1_000);
  assert.equal(policy.lost({ code: 4500, now: 31_000 }), 1_000);
});

test("a session that breaks again before that does not", () => {
  const policy = new ReconnectPolicy(() => 1);
  policy.lost({ code: 4500, now: 0 });
  policy.ready(1_000);
  assert.equal(policy.lost({ code: 4500, now: 30_999 }), null);
});
