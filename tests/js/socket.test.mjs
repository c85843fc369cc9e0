import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Connection } from "../../voice/static/voice/socket.js";

const FRAME = new ArrayBuffer(1_920);
const FULL = 96_000; // bytes: two seconds of the microphone

/** The browser's, which sends nothing and says nothing by itself. */
class Socket {
  static last;
  readyState = 0;
  bufferedAmount = 0;
  sent = [];

  constructor(url, protocols) {
    Object.assign(this, { url, protocols });
    Socket.last = this;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  says(message) {
    this.onmessage({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }

  send(data) { this.sent.push(data); }
  close() { this.readyState = 3; this.onclose({ code: 1006 }); }
}

const OPTIONS = { ticketUrl: "/ticket", socketUrl: "/v1/ws/voice", csrfToken: "c" };
const globals = ["WebSocket", "fetch", "location"].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)]);
let heard;
let connection;

beforeEach(async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const set = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  set("WebSocket", Socket);
  set("location", { href: "https://example.org/help/" });
  set("fetch", async () => ({ ok: true, status: 200, json: async () => ({ ticket: "t" }) }));
  heard = [];
  const note = (name) => (...details) => heard.push([name, ...details]);
  connection = new Connection(OPTIONS, {
    onOpen: note("open"), onMessage: note("message"), onAudio: note("audio"), onSlow: note("slow"), onClose: note("close"),
  });
  await connection.open();
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
  for (const [name, was] of globals) was ? Object.defineProperty(globalThis, name, was) : delete globalThis[name];
});

const at = (milliseconds) => mock.method(performance, "now", () => milliseconds);

test("the ticket goes with the handshake, and not in the URL", () => {
  const { url, protocols } = Socket.last;
  assert.deepEqual([url, protocols], ["wss://example.org/v1/ws/voice", ["voice.v1", "voice.bearer.t"]]);
});

test("before the socket is open nothing is sent", () => {
  connection.sendAudio(FRAME);
  assert.equal(connection.send("interrupt"), false);
  assert.deepEqual(Socket.last.sent, []);
});

test("a handshake that nobody answers is given up", () => {
  mock.timers.tick(10_000);
  assert.deepEqual(heard, [["close", { code: 1006, reason: "network", retryAfterMs: null }]]);
});

test("on a network that does not keep up, frames are dropped and that is told; what is typed goes out", () => {
  Socket.last.open();
  Socket.last.bufferedAmount = FULL;
  for (let n = 0; n < 50; n++) connection.sendAudio(FRAME);
  connection.send("interrupt");
  assert.deepEqual(Socket.last.sent, ['{"type":"interrupt"}']);
  Socket.last.bufferedAmount = 0;
  connection.sendAudio(FRAME);
  assert.deepEqual([Socket.last.sent.length, heard], [2, [["open", null], ["slow", true], ["slow", false]]]);
});

test("a network that takes nothing for eight seconds is given up", () => {
  Socket.last.open();
  Socket.last.bufferedAmount = FULL;
  at(1_000);
  connection.sendAudio(FRAME);
  at(9_000);
  connection.sendAudio(FRAME);
  assert.equal(Socket.last.readyState, 3);
  assert.deepEqual(heard.at(-1), ["close", { code: 1006, reason: "network", retryAfterMs: null }]);
});

test("a session that is told to end ends for the reason that it was told", () => {
  Socket.last.open();
  const ending = { code: 4429, reason: "rate_limited", retry: "after", retry_after_ms: 5_000, message: "" };
  Socket.last.says({ type: "session.ending", ...ending });
  Socket.last.close();
  assert.deepEqual(heard.at(-1), ["close", { code: 4429, reason: "rate_limited", retryAfterMs: 5_000 }]);
  assert.equal(heard.filter(([name]) => name === "close").length, 1);
});

test("after a goodbye nothing more is heard", () => {
  Socket.last.open();
  connection.end();
  Socket.last.says({ type: "speech.started", item_id: "u" });
  assert.deepEqual([heard, Socket.last.sent], [[["open", null]], ['{"type":"end"}']]);
});

test("a page that only wants to go on dials nothing where that conversation is over", async () => {
  const before = Socket.last;
  const told = [];
  const goingOn = { ...OPTIONS, interrupted: "s", onlyGoOn: true };
  await new Connection(goingOn, { onClose: (ending) => told.push(ending) }).open();
  assert.equal(Socket.last, before);
  assert.deepEqual(told, [{ code: 1000, reason: "gone", retryAfterMs: null }]);
});

/** Requests for a ticket of which `answered` is the first that anybody answers; for how long each was waited for. */
function unanswered(answered, meanwhile = () => {}) {
  const patience = [];
  mock.method(AbortSignal, "timeout", (milliseconds) => {
    patience.push(milliseconds);
    return patience.length < answered ? AbortSignal.abort() : new AbortController().signal;
  });
  globalThis.fetch = async (_url, { signal }) => {
    meanwhile();
    signal.throwIfAborted();
    return new Response(JSON.stringify({ ticket: "late", resume: "s.secret" }));
  };
  return patience;
}

async function opened(options) {
  const told = [];
  const connection = new Connection({ ...OPTIONS, ...options }, { onClose: (ending) => told.push(ending) });
  await connection.open();
  return told;
}

test("who comes back asks again at once where nobody answers: that connection has died with the network", async () => {
  const patience = unanswered(3);
  assert.deepEqual(await opened({ interrupted: "s" }), []);
  assert.deepEqual(patience, [1_500, 2_000, 2_500]);
  assert.equal(Socket.last.protocols[1], "voice.bearer.late");
});

test("it asks four times at the most", async () => {
  const patience = unanswered(Infinity);
  assert.deepEqual(await opened({ interrupted: "s" }), [{ code: 1006, reason: "network", retryAfterMs: null }]);
  assert.equal(patience.length, 4);
});

test("who is new waits for one answer", async () => {
  const patience = unanswered(Infinity);
  assert.equal((await opened({ interrupted: null })).length, 1);
  assert.deepEqual(patience, [10_000]);
});

test("a network that refuses is not asked again at once", async () => {
  const patience = unanswered(1, () => { throw new TypeError("fetch failed"); });
  assert.equal((await opened({ interrupted: "s" }))[0].reason, "network");
  assert.equal(patience.length, 1);
});

test("nor is it where the visitor has gone meanwhile", async () => {
  const events = { onClose: () => assert.fail("no event follows") };
  const leaving = new Connection({ ...OPTIONS, interrupted: "s" }, events);
  const patience = unanswered(Infinity, () => leaving.end());
  await leaving.open();
  assert.equal(patience.length, 1);
});
