import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Line } from "../../voice/static/voice/line.js";

const LOST = { code: 1006, reason: "network", retryAfterMs: null };
const settle = () => new Promise((resolve) => setImmediate(resolve));
let dialled; // what each connection was asked to go on with
let heard; // the line's own events
let connection; // what the newest connection tells the line
let reachable;
let now;

const parts = {
  connection: ({ interrupted, onlyGoOn }, events) => {
    dialled.push([interrupted, onlyGoOn]);
    connection = events;
    return { open() {}, send: () => true, end() {}, leave() {} };
  },
  wait: async () => {},
  whenReachable: () => reachable,
  now: () => now,
  random: () => 1,
};
const events = {
  onMessage: () => {},
  onLost: () => heard.push("lost"),
  onEnd: ({ reason }) => heard.push(reason),
};

beforeEach(() => {
  dialled = [];
  heard = [];
  reachable = Promise.resolve();
  now = 0;
});

function dial(interrupted) {
  const line = new Line({}, parts, events, interrupted);
  line.dial();
  return line;
}

function ready(session, resume = "token") {
  connection.onMessage({ type: "session.ready", session_id: session, resume });
}

async function lose() {
  connection.onClose(LOST);
  await settle();
}

test("each connection goes on with the conversation of the one before", async () => {
  dial();
  ready("s1");
  await lose();
  ready("s2");
  await lose();
  assert.deepEqual(dialled, [[null, false], ["s1", false], ["s2", false]]);
});

test("a conversation that nobody keeps is not gone on with", async () => {
  const line = dial();
  ready("s", null);
  await lose();
  assert.deepEqual([line.sessionId, dialled.at(-1)], [null, [null, false]]);
});

test("a conversation that was taken up is from then on like any other", async () => {
  dial("s");
  assert.deepEqual(dialled, [["s", true]]);
  ready("s1");
  await lose();
  assert.deepEqual(dialled.at(-1), ["s1", false]);
});

test("nobody is dialled before the page is seen and the network is there", async () => {
  let arrive;
  reachable = new Promise((resolve) => { arrive = resolve; });
  dial();
  await lose();
  assert.deepEqual([heard, dialled.length], [["lost"], 1]);
  arrive();
  await settle();
  assert.equal(dialled.length, 2);
});

test("it gives up when nobody answers, and later if somebody had answered", async () => {
  dial();
  for (let n = 0; n < 4; n++) await lose();
  assert.deepEqual(heard, ["lost", "lost", "lost", "network"]);
  heard = [];
  dial();
  ready("s");
  for (let n = 0; n < 6; n++) await lose();
  assert.deepEqual(new Set(heard), new Set(["lost"]));
  now = 60_000;
  await lose();
  assert.equal(heard.at(-1), "network");
});

for (const [how, goodbye] of [["ends", (line) => line.end()], ["leaves", (line) => line.leave()]]) {
  test(`who ${how} while the line waits is not dialled again`, async () => {
    const line = dial();
    connection.onClose(LOST);
    goodbye(line);
    await settle();
    assert.equal(dialled.length, 1);
  });
}

test("what is said while there is no connection is not taken", async () => {
  let arrive;
  reachable = new Promise((resolve) => { arrive = resolve; });
  const line = dial();
  assert.equal(line.send("interrupt"), true);
  await lose();
  assert.equal(line.send("interrupt"), false);
  arrive();
});
