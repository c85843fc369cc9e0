import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { VoiceClient } from "../../voice/static/voice/client.js";
import { encode } from "../../voice/static/voice/protocol.js";

/** A socket, a microphone and a speaker that do nothing by themselves and remember what they were told. */
class Stage {
  sent = [];
  spoken = [];
  frames = [];
  waits = [];
  dialled = 0;
  microphones = [];
  refusal = null;
  now = 0;

  parts = {
    connection: (_options, events) => this.#connection(events),
    microphone: (options) => this.#microphone(options),
    speaker: (options) => this.#speaker(options),
    wait: async (milliseconds) => { this.waits.push(milliseconds); },
    whenVisible: async () => {},
    now: () => this.now,
    random: () => 1,
  };

  #connection(events) {
    this.dialled += 1;
    this.events = events;
    this.isOpen = false;
    return {
      open() {},
      send: (type, fields) => this.isOpen && Boolean(this.sent.push(JSON.parse(encode(type, fields)))),
      sendAudio: (pcm) => this.frames.push(pcm),
      refresh: () => this.sent.push({ type: "auth.refresh" }),
      end: () => this.sent.push({ type: "end" }),
    };
  }

  #microphone({ onFrame, onLost }) {
    const microphone = { onFrame, onLost, level: 0, isOpen: false, muted: false };
    microphone.open = async () => {
      if (this.refusal) throw Object.assign(new Error(), { status: this.refusal });
      microphone.isOpen = true;
    };
    microphone.mute = (muted) => { microphone.muted = muted; };
    microphone.close = () => { microphone.isOpen = false; };
    this.microphones.push(microphone);
    return microphone;
  }

  #speaker({ onReport }) {
    this.report = onReport;
    return {
      open: async () => {},
      push: (item, pcm) => this.spoken.push(["push", item, pcm]),
      finish: (item) => this.spoken.push(["finish", item]),
      stop: (item = null) => this.spoken.push(["stop", item]),
      close: () => this.spoken.push(["close"]),
    };
  }

  connect() {
    this.isOpen = true;
    this.events.onOpen();
    this.says("session.ready", { session_id: "s", provider: "local", seconds: 600 });
  }

  says(type, fields) {
    this.events.onMessage({ type, ...fields });
  }

  types() {
    return this.sent.map(({ type }) => type);
  }
}

const OPTIONS = { language: "fr", page: { url: "/aide/", title: "Aide", text: "x".repeat(5_000) }, notice: "1" };
let stage;
let client;
const phase = () => client.getSnapshot().phase;
const settle = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  stage = new Stage();
  client = new VoiceClient(OPTIONS, stage.parts);
});

async function started() {
  await client.start();
  stage.connect();
}

test("nothing is opened before the start", () => {
  assert.deepEqual([stage.dialled, stage.microphones.length], [0, 0]);
});

test("start says how the conversation is to be, with the page's text cut to what the wire allows", async () => {
  await started();
  const [first] = stage.sent;
  assert.deepEqual([first.type, first.language, first.notice, first.page.text.length], ["start", "fr", "1", 2_048]);
});

test("frames of the microphone go to the socket", async () => {
  await started();
  stage.microphones[0].onFrame("frame");
  assert.deepEqual(stage.frames, ["frame"]);
});

test("without the microphone that was asked for, no session is spent", async () => {
  stage.refusal = "refused";
  await client.start();
  assert.deepEqual([phase(), client.getSnapshot().microphone, stage.dialled], ["ready", "refused", 0]);
});

test("a typed question needs no microphone, and is sent when the socket is open", async () => {
  client.sendText("  Sundays? ");
  await settle();
  stage.connect();
  assert.deepEqual(stage.sent.slice(1), [{ type: "input_text", text: "Sundays?" }]);
  assert.equal(stage.microphones.length, 0);
  assert.equal(phase(), "thinking");
});

test("the microphone can join a typed conversation", async () => {
  client.sendText("Sundays?");
  await settle();
  stage.connect();
  await client.mute(false);
  assert.ok(stage.microphones[0].isOpen);
});

test("the audio of an answer is played as its item", async () => {
  await started();
  stage.says("audio.item", { item_id: "a" });
  stage.events.onAudio("pcm");
  stage.says("audio.done", { item_id: "a" });
  assert.deepEqual(stage.spoken, [["push", "a", "pcm"], ["finish", "a"]]);
});

test("audio that belongs to no item is not played", async () => {
  await started();
  stage.events.onAudio("pcm");
  assert.deepEqual(stage.spoken, []);
});

test("the visitor's voice silences the answer at once", async () => {
  await started();
  stage.says("speech.started", { item_id: "u" });
  assert.deepEqual(stage.spoken, [["stop", null]]);
});

test("what was played is reported, in the wire's words", async () => {
  await started();
  stage.says("playback.stop", { item_id: "a" });
  assert.deepEqual(stage.spoken, [["stop", "a"]]);
  stage.report({ item_id: "a", played_ms: 120, received_ms: 900, underruns: 0, complete: false, over: true });
  assert.deepEqual(stage.sent.at(-1), { type: "playback", item_id: "a", played_ms: 120, underruns: 0 });
});

test("an interruption is silent here before the server answers", async () => {
  await started();
  client.interrupt();
  assert.deepEqual([stage.types().at(-1), stage.spoken], ["interrupt", [["stop", null]]]);
  assert.equal(phase(), "interrupted");
});

test("muting tells the microphone and the server", async () => {
  await started();
  await client.mute(true);
  assert.ok(stage.microphones[0].muted);
  assert.deepEqual(stage.sent.at(-1), { type: "mute", muted: true });
});

test("stop says goodbye and closes everything", async () => {
  await started();
  client.stop();
  assert.equal(stage.types().at(-1), "end");
  assert.deepEqual([phase(), stage.microphones[0].isOpen, stage.spoken.at(-1)[0]], ["ended", false, "close"]);
});

test("who stops while being asked for the microphone gets neither microphone nor session", async () => {
  const start = client.start();
  client.stop();
  await start;
  await settle();
  assert.deepEqual([phase(), stage.dialled, stage.microphones[0].isOpen], ["ended", 0, false]);
});

test("a second start while one is going on does nothing", async () => {
  await Promise.all([client.start(), client.start()]);
  assert.equal(stage.dialled, 1);
});

test("a lost session is dialled again after its delay, and the microphone stays", async () => {
  await started();
  stage.events.onClose({ code: 4502, reason: "upstream_closed", retryAfterMs: null });
  assert.equal(phase(), "reconnecting");
  await settle();
  assert.deepEqual([stage.waits, stage.dialled, stage.microphones[0].isOpen], [[1_000], 2, true]);
  stage.connect();
  assert.equal(phase(), "listening");
});

test("a microphone that is muted stays muted in the next session", async () => {
  await started();
  await client.mute(true);
  stage.events.onClose({ code: 1006, reason: "network", retryAfterMs: null });
  await settle();
  stage.sent = [];
  stage.connect();
  assert.deepEqual(stage.types(), ["start", "mute"]);
});

test("who stops while the client waits to dial again is left alone", async () => {
  await started();
  stage.events.onClose({ code: 1006, reason: "network", retryAfterMs: null });
  client.stop();
  await settle();
  assert.deepEqual([phase(), stage.dialled], ["ended", 1]);
});

test("a switched-off voice is told and not dialled again", async () => {
  await started();
  stage.events.onClose({ code: 4503, reason: "disabled", retryAfterMs: null });
  await settle();
  assert.deepEqual([phase(), client.getSnapshot().reason, stage.dialled], ["unavailable", "disabled", 1]);
});

test("where speaking does not work the microphone is closed, and the conversation goes on", async () => {
  await started();
  stage.says("notice", { code: "speech_unavailable" });
  assert.deepEqual([phase(), stage.microphones[0].isOpen], ["listening", false]);
});

test("a microphone that is unplugged is told", async () => {
  await started();
  stage.microphones[0].onLost();
  assert.deepEqual([phase(), client.getSnapshot().microphone], ["listening", "lost"]);
});

test("before its token expires the client sends a new one", async () => {
  await started();
  stage.says("session.expiring", { seconds: 30, why: "auth" });
  assert.equal(stage.types().at(-1), "auth.refresh");
});

test("a listener hears of each change until it unsubscribes", async () => {
  const seen = [];
  const unsubscribe = client.subscribe(() => seen.push(phase()));
  await started();
  unsubscribe();
  client.stop();
  assert.deepEqual([seen[0], seen.at(-1)], ["connecting", "listening"]);
});
