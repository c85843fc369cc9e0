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
  prompt = Promise.resolve(); // the browser's question for the microphone
  speakers = 0;
  now = 0;
  clock = 1_000_000; // milliseconds since 1970
  around = null;

  parts = {
    connection: (options, events) => this.#connection(options, events),
    microphone: (options) => this.#microphone(options),
    speaker: (options) => this.#speaker(options),
    wait: async (milliseconds) => {
      this.waits.push(milliseconds);
      this.clock += milliseconds;
    },
    whenReachable: async () => {},
    watch: (events) => {
      this.around = events;
      return () => { this.around = null; };
    },
    now: () => this.now,
    clock: () => this.clock,
    random: () => 1,
    remember: (sessionId) => { this.remembered = sessionId; },
  };

  #connection({ interrupted, onlyGoOn }, events) {
    this.dialled += 1;
    this.goingOn = { interrupted, onlyGoOn };
    this.events = events;
    this.isOpen = false;
    return {
      open() {},
      send: (type, fields) => this.isOpen && Boolean(this.sent.push(JSON.parse(encode(type, fields)))),
      sendAudio: (pcm) => this.frames.push(pcm),
      refresh: () => this.sent.push({ type: "auth.refresh" }),
      end: () => this.sent.push({ type: "end" }),
      leave: () => { this.left = true; },
      abandon: () => events.onClose({ code: 1006, reason: "network", retryAfterMs: null }),
    };
  }

  #microphone({ onFrame, onLost, onPaused }) {
    const microphone = { onFrame, onLost, onPaused, paused: false, level: 0, isOpen: false, muted: false };
    microphone.open = async () => {
      await this.prompt;
      if (this.refusal) throw Object.assign(new Error(), { status: this.refusal });
      microphone.isOpen = true;
    };
    microphone.mute = (muted) => { microphone.muted = muted; };
    microphone.resume = async () => { microphone.paused = false; onPaused(); };
    microphone.close = () => { microphone.isOpen = false; };
    this.microphones.push(microphone);
    return microphone;
  }

  #speaker({ onReport }) {
    this.report = onReport;
    this.speakers += 1;
    return {
      open: async () => {},
      resume: async () => {},
      push: (item, pcm) => this.spoken.push(["push", item, pcm]),
      finish: (item) => this.spoken.push(["finish", item]),
      stop: (item = null) => this.spoken.push(["stop", item]),
      close: () => this.spoken.push(["close"]),
    };
  }

  connect({ session = "s", kept = true, resume = null, history = null } = {}) {
    this.isOpen = true;
    this.events.onOpen(resume);
    this.says("session.ready", { session_id: session, provider: "local", seconds: 600, resume: kept ? "token" : null });
    if (history) this.says("history", { items: history });
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

test("a microphone that is being asked for is not asked for twice", async () => {
  const starting = client.start();
  await Promise.all([starting, client.mute(false)]);
  assert.equal(stage.microphones.length, 1);
  assert.equal(client.getSnapshot().microphone, "on");
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
  stage.microphones[0].onLost("lost");
  assert.deepEqual([phase(), client.getSnapshot().microphone], ["listening", "lost"]);
  await client.mute(false);
  assert.deepEqual([client.getSnapshot().microphone, stage.microphones[1].isOpen], ["on", true]);
});

test("a permission that is withdrawn is told as such", async () => {
  await started();
  stage.microphones[0].onLost("refused");
  assert.equal(client.getSnapshot().microphone, "refused");
});

test("a page out of sight does not listen, and listens again when it is back", async () => {
  await started();
  stage.around.onHidden(true);
  assert.ok(stage.microphones[0].muted && client.getSnapshot().away);
  assert.deepEqual(stage.sent.at(-1), { type: "mute", muted: true });
  stage.around.onHidden(false);
  assert.ok(!stage.microphones[0].muted);
  assert.deepEqual(stage.sent.at(-1), { type: "mute", muted: false });
  assert.equal(client.getSnapshot().notice, "was_away");
});

test("who had muted the microphone finds it muted when they are back", async () => {
  await started();
  await client.mute(true);
  stage.around.onHidden(true);
  stage.around.onHidden(false);
  assert.ok(stage.microphones[0].muted);
  assert.equal(client.getSnapshot().notice, null);
});

test("the prompt for the microphone, which hides the page on phones, changes nothing", async () => {
  const start = client.start();
  stage.around.onHidden(true);
  stage.around.onHidden(false);
  await start;
  assert.deepEqual([client.getSnapshot().away, stage.microphones[0].muted], [false, false]);
});

test("a session that is dialled while nobody looks is muted from its beginning", async () => {
  await started();
  stage.around.onHidden(true);
  stage.events.onClose({ code: 1006, reason: "network", retryAfterMs: null });
  await settle();
  stage.sent = [];
  stage.connect();
  assert.deepEqual(stage.types(), ["start", "mute"]);
});

test("a network that is gone is not waited for", async () => {
  await started();
  stage.around.onOffline(true);
  assert.deepEqual([phase(), client.getSnapshot().offline], ["reconnecting", true]);
  await settle();
  assert.equal(stage.dialled, 2);
});

test("who is not heard because the network is slow is told, until it is over or another one is dialled", async () => {
  await started();
  stage.events.onSlow(true);
  assert.ok(client.getSnapshot().slow);
  stage.events.onSlow(false);
  assert.ok(!client.getSnapshot().slow);
  stage.events.onSlow(true);
  stage.events.onClose({ code: 1006, reason: "network", retryAfterMs: null });
  assert.deepEqual([phase(), client.getSnapshot().slow], ["reconnecting", false]);
});

const SAID = [
  { role: "user", text: "When do you open?", cut: false, sources: [] },
  { role: "assistant", text: "We open at nine, and", cut: true, sources: [{ n: 1, title: "Hours", url: "/hours/" }] },
];

test("who leaves the page does not say goodbye: the next page in this tab may go on", async () => {
  await started();
  stage.around.onLeave();
  assert.deepEqual([phase(), stage.types(), stage.around], ["ended", ["start"], null]);
  assert.deepEqual([stage.remembered, stage.left, stage.microphones[0].isOpen], ["s", true, false]);
});

test("where no conversation is kept, who leaves the page ends it", async () => {
  await client.start();
  stage.connect({ kept: false });
  stage.around.onLeave();
  assert.deepEqual([phase(), stage.types().at(-1), stage.remembered], ["ended", "end", undefined]);
});

test("the next page goes on in writing, and shows what was said", async () => {
  client.takeUp("s");
  assert.deepEqual([stage.goingOn, stage.microphones.length], [{ interrupted: "s", onlyGoOn: true }, 0]);
  stage.connect({ session: "s2", resume: "anew", history: SAID });
  assert.equal(stage.sent[0].resume, "anew");
  const { lines, notice } = client.getSnapshot();
  assert.deepEqual(lines.map(({ who, text, settled }) => [who, text, settled]), [
    ["visitor", "When do you open?", true], ["assistant", "We open at nine, and …", true],
  ]);
  assert.deepEqual(lines.map(({ sources }) => sources.length), [0, 1], "what was shown with an answer is shown again");
  assert.deepEqual([phase(), notice], ["listening", "taken_up"]);
});

test("there, the speaker is opened by the first press, before the question is sent", async () => {
  client.takeUp("s");
  stage.connect({ resume: "anew", history: SAID });
  assert.equal(client.speaker, null);
  assert.ok(client.sendText("And on Sundays?"));
  assert.notEqual(client.speaker, null);
  await settle();
  assert.deepEqual(stage.sent.slice(1), [{ type: "input_text", text: "And on Sundays?" }]);
});

test("what is typed there before the connection stands is sent when it does", async () => {
  client.takeUp("s");
  client.sendText("And on Sundays?");
  await settle();
  stage.connect({ resume: "anew", history: SAID });
  assert.deepEqual(stage.sent.slice(1), [{ type: "input_text", text: "And on Sundays?" }]);
});

test("there, the microphone joins by a press, and the speaker with it", async () => {
  client.takeUp("s");
  stage.connect({ resume: "anew", history: SAID });
  await client.mute(false);
  assert.deepEqual([stage.microphones[0].isOpen, client.speaker === null], [true, false]);
});

test("a conversation that is over by then is not spoken of, and none is begun", () => {
  client.takeUp("s");
  stage.events.onClose({ code: 1000, reason: "gone", retryAfterMs: null });
  assert.deepEqual([phase(), client.getSnapshot().reason, stage.dialled], ["ready", null, 1]);
});

test("who has asked something before that is known gets an answer, in a new one", async () => {
  client.takeUp("s");
  client.sendText("Sundays?");
  await settle();
  stage.events.onClose({ code: 1000, reason: "gone", retryAfterMs: null });
  assert.deepEqual([stage.dialled, stage.goingOn], [2, { interrupted: null, onlyGoOn: false }]);
  stage.connect();
  assert.deepEqual([phase(), stage.types()], ["thinking", ["start", "input_text"]]);
});

test("after it, a question begins a new one, with one speaker", async () => {
  client.takeUp("old");
  stage.events.onClose({ code: 1000, reason: "gone", retryAfterMs: null });
  client.sendText("Sundays?");
  await settle();
  stage.connect();
  assert.deepEqual([stage.types(), stage.speakers], [["start", "input_text"], 1]);
});

test("after a lost connection the conversation goes on, and the page shows what it knows", async () => {
  await started();
  stage.says("transcript.user", { item_id: "u", text: "When do you open?", final: true });
  stage.events.onClose({ code: 1006, reason: "network", retryAfterMs: null });
  await settle();
  assert.deepEqual(stage.goingOn, { interrupted: "s", onlyGoOn: false });
  stage.connect({ session: "s2", resume: "anew", history: SAID });
  assert.deepEqual(client.getSnapshot().lines.map(({ text }) => text), ["When do you open?"]);
  assert.equal(client.getSnapshot().notice, "resumed");
  stage.events.onClose({ code: 1006, reason: "network", retryAfterMs: null });
  await settle();
  assert.equal(stage.goingOn.interrupted, "s2");
});

test("who begins anew goes on with nothing", async () => {
  await started();
  client.stop();
  await client.start();
  assert.deepEqual(stage.goingOn, { interrupted: null, onlyGoOn: false });
});

test("a turn after the restored ones is told alone", async () => {
  const told = [];
  client.on("turn", ({ question, answer }) => told.push([question, answer]));
  client.takeUp("s");
  stage.connect({ resume: "anew", history: SAID });
  stage.says("transcript.user", { item_id: "u", text: "And on Sundays?", final: true });
  stage.says("transcript.assistant", { item_id: "a", delta: "Closed." });
  stage.says("turn.done", { turn: 2, outcome: "completed", latencies: {} });
  assert.deepEqual(told, [["And on Sundays?", "Closed."]]);
});

test("a sound that the system took is told, and given back by a press", async () => {
  await started();
  stage.microphones[0].paused = true;
  stage.microphones[0].onPaused();
  assert.ok(client.getSnapshot().paused);
  await client.resume();
  assert.ok(!client.getSnapshot().paused);
});

test("the time that is left has its end on the clock", async () => {
  await started();
  stage.says("session.expiring", { seconds: 60, why: "duration" });
  assert.deepEqual(client.getSnapshot().expiring, { seconds: 60, why: "duration", endsAt: 1_060_000 });
});

test("a refusal that names a time holds until then, and not longer", async () => {
  let arrive;
  stage.parts.wait = () => new Promise((resolve) => { arrive = resolve; });
  await started();
  stage.events.onClose({ code: 4429, reason: "rate_limited", retryAfterMs: 120_000 });
  assert.deepEqual([phase(), client.getSnapshot().retryAt], ["unavailable", 1_120_000]);
  await client.start();
  assert.equal(client.sendText("Sundays?"), false);
  assert.equal(stage.dialled, 1);
  stage.clock = 1_120_000;
  arrive();
  await settle();
  assert.deepEqual([phase(), client.getSnapshot().retryAt], ["ready", null]);
  await client.start();
  assert.equal(stage.dialled, 2);
});

test("whoever listens hears of the beginning, of each turn, and of the end", async () => {
  const heard = [];
  for (const name of ["ready", "turn", "ended"]) client.on(name, (detail) => heard.push([name, detail]));
  await started();
  stage.says("transcript.user", { item_id: "u", text: "When do you open?", final: true });
  stage.says("transcript.assistant", { item_id: "a", delta: "At nine." });
  stage.says("turn.done", { turn: 1, outcome: "completed", latencies: {} });
  client.stop();
  assert.deepEqual(heard, [
    ["ready", { sessionId: "s", provider: "local" }],
    ["turn", { turn: 1, outcome: "completed", question: "When do you open?", answer: "At nine.", sources: [] }],
    ["ended", { reason: "client_hangup", retryAt: null }],
  ]);
});

test("what is configured holds from the next conversation on", async () => {
  client.configure({ page: { url: "/other/", title: "Other" } });
  await started();
  assert.deepEqual(stage.sent[0].page, { url: "/other/", title: "Other", text: "" });
});

const held = async () => {
  client = new VoiceClient({ ...OPTIONS, pushToTalk: true }, stage.parts);
  await started();
};
const frames = (count) => { for (let n = 0; n < count; n++) stage.microphones[0].onFrame("frame"); };

test("by push-to-talk the microphone is open while the visitor holds, and what they said is committed", async () => {
  await held();
  assert.equal(stage.sent[0].mode, "push_to_talk");
  assert.ok(stage.microphones[0].muted);
  client.hold(true);
  assert.deepEqual([stage.microphones[0].muted, phase(), stage.spoken], [false, "listening", [["stop", null]]]);
  frames(10);
  await client.hold(false);
  assert.deepEqual([stage.microphones[0].muted, phase(), stage.types().at(-1)], [true, "thinking", "commit"]);
});

test("who lets go at once has asked nothing", async () => {
  await held();
  client.hold(true);
  frames(2);
  await client.hold(false);
  assert.deepEqual([phase(), stage.types().at(-1)], ["listening", "commit"]);
});

test("who presses again before their last word is over goes on talking", async () => {
  await held();
  client.hold(true);
  const letGo = client.hold(false);
  client.hold(true);
  await letGo;
  assert.deepEqual([stage.microphones[0].muted, stage.types().includes("commit")], [false, false]);
});

test("a page out of sight lets go", async () => {
  await held();
  client.hold(true);
  frames(10);
  stage.around.onHidden(true);
  await settle();
  assert.deepEqual([client.getSnapshot().held, stage.microphones[0].muted, phase()], [false, true, "thinking"]);
});

test("where the voice itself is waited for, there is nothing to hold", async () => {
  await started();
  await client.hold(true);
  assert.equal(client.getSnapshot().held, null);
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

const WARM = { ...OPTIONS, warm: true };

/** A client that asks, and dials early if it is warm; `answered` is the visitor's answer, by a press on the prompt. */
function askedForTheMicrophone(refusal = null, options = WARM) {
  let answer;
  stage.prompt = new Promise((resolve) => { answer = resolve; });
  client = new VoiceClient(options, stage.parts);
  const starting = client.start();
  return async () => {
    stage.refusal = refusal;
    answer();
    await starting;
  };
}

test("where the site wants it, the server is dialled while the visitor is asked for the microphone", async () => {
  const answered = askedForTheMicrophone();
  assert.deepEqual([stage.dialled, client.getSnapshot().microphone], [1, "asking"]);
  stage.connect();
  assert.equal(stage.sent[0].waiting, true);
  await answered();
  assert.deepEqual(stage.sent.at(-1), { type: "mute", muted: false });
  assert.deepEqual([stage.dialled, phase(), client.getSnapshot().microphone], [1, "listening", "on"]);
});

test("who has answered before the line stands is not waited for", async () => {
  const answered = askedForTheMicrophone();
  await answered();
  stage.connect();
  assert.deepEqual([stage.dialled, "waiting" in stage.sent[0]], [1, false]);
});

test("a typed conversation is never early", async () => {
  client = new VoiceClient(WARM, stage.parts);
  client.sendText("Sundays?");
  await settle();
  stage.connect();
  assert.equal("waiting" in stage.sent[0], false);
});

test("who refuses the microphone has no conversation, and the page's script is told", async () => {
  const answered = askedForTheMicrophone("refused");
  const ends = [];
  client.on("ended", (detail) => ends.push(detail));
  stage.connect();
  await answered();
  assert.equal(stage.types().at(-1), "end");
  assert.deepEqual([phase(), client.getSnapshot().microphone], ["ready", "refused"]);
  assert.deepEqual(ends, [{ reason: "no_microphone", retryAt: null }]);
});

test("who refuses it before the line stands has none either", async () => {
  const answered = askedForTheMicrophone("refused");
  await answered();
  assert.deepEqual([phase(), stage.types().at(-1)], ["ready", "end"]);
});

test("who types meanwhile goes on in writing without the microphone", async () => {
  const answered = askedForTheMicrophone("refused");
  stage.connect();
  client.sendText("Sundays?");
  await answered();
  assert.deepEqual([phase(), stage.types()], ["thinking", ["start", "input_text"]]);
});

for (const [how, options] of [["early", WARM], ["later", OPTIONS]]) {
  test(`who types before anybody was dialled is not kept waiting for the prompt, nor let down by it (${how})`, async () => {
    const answered = askedForTheMicrophone("refused", options);
    client.sendText("Sundays?");
    await settle();
    stage.connect();
    assert.deepEqual([phase(), stage.types(), "waiting" in stage.sent[0]], ["thinking", ["start", "input_text"], false]);
    await answered();
    assert.deepEqual([phase(), stage.types(), client.getSnapshot().microphone], ["thinking", ["start", "input_text"], "refused"]);
  });

  test(`who refuses the microphone while their question is on its way goes on in writing (${how})`, async () => {
    const answered = askedForTheMicrophone("refused", options);
    client.sendText("Sundays?");
    await answered();
    assert.deepEqual([phase(), stage.dialled], ["connecting", 1]);
    stage.connect();
    assert.deepEqual(stage.types(), ["start", "input_text"]);
  });
}

test("where the visitor takes long, the server lets go, and is dialled again when the microphone is there", async () => {
  const answered = askedForTheMicrophone();
  stage.connect();
  stage.events.onClose({ code: 1000, reason: "no_microphone", retryAfterMs: null });
  assert.deepEqual([phase(), stage.dialled], ["connecting", 1]);
  await answered();
  assert.equal(stage.dialled, 2);
  stage.sent = [];
  stage.connect();
  assert.deepEqual([stage.types(), "waiting" in stage.sent[0], phase()], [["start"], false, "listening"]);
});

test("an answer and the server's letting go may cross each other", async () => {
  const answered = askedForTheMicrophone();
  stage.connect();
  await answered();
  stage.events.onClose({ code: 1000, reason: "no_microphone", retryAfterMs: null });
  assert.equal(stage.dialled, 2);
});

test("what else ends the early line ends the start, and the microphone that comes later is closed", async () => {
  const answered = askedForTheMicrophone();
  stage.events.onClose({ code: 4429, reason: "rate_limited", retryAfterMs: 60_000 });
  assert.deepEqual([phase(), client.getSnapshot().reason], ["unavailable", "rate_limited"]);
  await answered();
  assert.deepEqual([stage.dialled, stage.microphones[0].isOpen], [1, false]);
});
