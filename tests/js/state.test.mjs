import assert from "node:assert/strict";
import { test } from "node:test";

import { INITIAL, PHASES, isLive, reduce } from "../../voice/static/voice/state.js";
import { heardEnd } from "../../voice/static/voice/transcript.js";

const after = (...events) => events.reduce(reduce, INITIAL);
const phases = (...events) => events.map((_, n) => after(...events.slice(0, n + 1)).phase);

const starting = { type: "client.starting" };
const open = { type: "client.microphone", status: "on" };
const ready = { type: "session.ready", session_id: "s", provider: "local", seconds: 600 };
const started = (item_id = "u1") => ({ type: "speech.started", item_id });
const stopped = (item_id = "u1") => ({ type: "speech.stopped", item_id });
const words = (text, final = false, item_id = "u1") => ({ type: "transcript.user", item_id, text, final });
const sources = [{ n: 1, title: "Opening hours", url: "/help/opening-hours/" }];
const context = { type: "context", sources, prefetched: true, waited_ms: 0 };
const answer = (delta, item_id = "a1") => ({ type: "transcript.assistant", item_id, delta });
const audio = (item_id = "a1") => ({ type: "audio.item", item_id });
const halt = (item_id = "a1") => ({ type: "playback.stop", item_id });
const done = (outcome = "completed", turn = 1) => ({ type: "turn.done", turn, outcome, latencies: {} });
const played = (played_ms, received_ms, complete = true, item_id = "a1") => (
  { type: "client.played", report: { item_id, played_ms, received_ms, complete } }
);
const closed = (reason) => ({ type: "client.closed", reason });
const listening = [starting, open, ready];
const speaking = [...listening, started(), words("When do you open?", true), stopped(), context, answer("We open at nine."), audio()];
const texts = (...events) => after(...events).lines.map(({ text }) => text);
const heard = (line) => line.text.slice(0, heardEnd(line));

test("a spoken turn goes from listening to thinking to speaking, and back", () => {
  assert.deepEqual(phases(...speaking, done()), [
    "connecting", "connecting", "listening", "listening", "listening", "thinking", "thinking", "speaking", "speaking",
    "listening",
  ]);
});

test("the visitor's words replace each other while they speak", () => {
  const { lines } = after(...listening, started(), words("When do"), words("When do you open"));
  assert.deepEqual(lines.map(({ text, settled }) => [text, settled]), [["When do you open", false]]);
});

test("the words of an answer are appended", () => {
  const { lines } = after(...listening, answer("We open "), answer("at nine."));
  assert.equal(lines[0].text, "We open at nine.");
});

test("the sources belong to the answer that follows them, and to no other", () => {
  const { lines } = after(...speaking, done(), started("u2"), stopped("u2"), answer("You are welcome.", "a2"));
  assert.deepEqual(lines.map((line) => line.sources.length), [0, 1, 0, 0]);
});

test("an answer is marked as heard in step with the sound, by whole words", () => {
  const { lines } = after(...speaking, played(500, 1_000));
  assert.equal(heard(lines[1]), "We open at");
});

test("an answer that is not spoken is all there to be read", () => {
  assert.equal(heard(after(...listening, answer("We open at nine.")).lines[0]), "We open at nine.");
});

test("an answer that came to its end was heard to its end", () => {
  const { lines } = after(...speaking, played(980, 1_000), done());
  assert.equal(heard(lines[1]), "We open at nine.");
  assert.ok(lines.every((line) => line.settled));
});

test("a barge-in leaves of the answer what was heard", () => {
  const { phase, lines } = after(...speaking, started("u2"), halt(), played(250, 1_000, false), done("interrupted"));
  assert.equal(phase, "interrupted");
  assert.equal(heard(lines[1]), "We open");
  assert.ok(lines[1].settled);
});

test("the end of the old turn does not disturb the new one", () => {
  const barged = [...speaking, started("u2"), halt(), done("interrupted")];
  assert.equal(after(...barged, stopped("u2"), done("interrupted")).phase, "thinking");
  assert.equal(after(...barged, stopped("u2"), answer("Yes.", "a2")).phase, "speaking");
});

test("late words of an interrupted answer do not make it speak again", () => {
  const { phase, lines } = after(...speaking, started("u2"), answer(" Come in."));
  assert.equal(phase, "interrupted");
  assert.equal(lines[1].text, "We open at nine. Come in.");
});

test("the visitor's late final words go to their own line", () => {
  const { lines } = after(...speaking, done(), started("u2"), words("And on Sundays?", true, "u2"), words("When do you open", true));
  assert.deepEqual(lines.map(({ text }) => text), ["When do you open", "We open at nine.", "And on Sundays?"]);
});

test("words that are known only when the answer has begun stand before it", () => {
  const late = [started(), stopped(), context, answer("We open at nine."), words("When do you open?", true)];
  assert.deepEqual(texts(...listening, ...late), ["When do you open?", "We open at nine."]);
  const held = [{ type: "client.held" }, { type: "client.released" }, { type: "client.committed", asked: true }];
  assert.deepEqual(texts(...listening, ...held, ...late.slice(2)), ["When do you open?", "We open at nine."]);
});

test("a button that was held for too short a time leaves nothing behind", () => {
  const short = [{ type: "client.held" }, { type: "client.released" }, { type: "client.committed", asked: false }];
  assert.deepEqual(texts(...listening, ...short, ...short, words("Hello", true)), ["Hello"]);
  const typed = [{ type: "client.asked", text: "Sundays?" }, words("Sundays?", true, "usr_1")];
  assert.deepEqual(texts(...listening, ...short, ...typed), ["", "Sundays?"]);
});

test("while the visitor interrupts, their words go on growing", () => {
  const { lines } = after(...speaking, started("u2"), halt(), words("And", false, "u2"));
  assert.deepEqual(lines.map(({ settled }) => settled), [true, true, false]);
});

test("a typed question is shown at once, and not a second time when the server repeats it", () => {
  const asked = after(...listening, { type: "client.asked", text: "Sundays?" });
  assert.equal(asked.phase, "thinking");
  assert.deepEqual(asked.lines.map(({ text, settled }) => [text, settled]), [["Sundays?", true]]);
  assert.equal(reduce(asked, words("Sundays?", true, "usr_1")).lines.length, 1);
});

test("the same question typed twice is shown twice", () => {
  const ask = { type: "client.asked", text: "Sundays?" };
  const { lines } = after(...listening, ask, words("Sundays?", true, "usr_1"), done(), ask, words("Sundays?", true, "usr_2"));
  assert.deepEqual(lines.map(({ id }) => id), ["usr_1", "usr_2"]);
});

test("a question that was typed before the session is ready is being answered when it is", () => {
  const { phase } = after({ type: "client.asked", text: "Sundays?" }, starting, ready);
  assert.equal(phase, "thinking");
});

test("typing into an answer ends that answer, and its turn's end does not end the new one's waiting", () => {
  const { phase, lines } = after(...speaking, { type: "client.asked", text: "And?" }, halt(), done("interrupted"));
  assert.equal(phase, "thinking");
  assert.ok(lines[1].settled);
});

test("the visitor's own interruption leaves the conversation interrupted until they speak", () => {
  const interrupted = [...speaking, { type: "client.interrupted" }, halt(), done("interrupted")];
  assert.equal(after(...interrupted).phase, "interrupted");
  assert.equal(after(...interrupted, started("u2"), stopped("u2")).phase, "thinking");
});

test("a turn without an answer goes back to listening, with its notice", () => {
  const { phase, notice } = after(...listening, started(), stopped(), { type: "notice", code: "answer_failed" }, done("failed"));
  assert.deepEqual([phase, notice], ["listening", "answer_failed"]);
});

test("a notice gives way to newer news, and to the end", () => {
  const told = [...listening, { type: "notice", code: "reconnected" }];
  for (const news of [{ type: "client.microphone", status: "lost" }, { type: "client.expiring", seconds: 60 }, { type: "client.reconnecting" }, closed("idle")]) {
    assert.equal(after(...told, news).notice, null, news.type);
  }
  assert.equal(after(...told, open).notice, "reconnected");
});

test("a notice goes away when the visitor speaks or types again", () => {
  const told = [...listening, { type: "notice", code: "answer_failed" }];
  assert.equal(after(...told, started()).notice, null);
  assert.equal(after(...told, { type: "client.asked", text: "?" }).notice, null);
});

for (const status of ["refused", "missing", "busy", "insecure", "unloaded"]) {
  test(`without its microphone (${status}) a conversation does not begin`, () => {
    const { phase, microphone } = after(starting, { type: "client.microphone", status: "asking" }, { type: "client.microphone", status });
    assert.deepEqual([phase, microphone], ["ready", status]);
  });
}

test("with a question on its way it does, in writing", () => {
  const typed = { type: "client.asked", text: "?" };
  assert.equal(after(starting, typed, { type: "client.microphone", status: "refused" }).phase, "connecting");
});

test("a microphone that is lost in a conversation does not end it", () => {
  assert.equal(after(...listening, { type: "client.microphone", status: "lost" }).phase, "listening");
});

for (const reason of ["client_hangup", "idle", "timeout", "max_duration", "concurrent"]) {
  test(`${reason} is an ordinary end`, () => assert.equal(after(...listening, closed(reason)).phase, "ended"));
}

for (const reason of ["disabled", "rate_limited", "not_in_rollout", "network", "upstream_closed"]) {
  test(`${reason} means: not available`, () => {
    const { phase, reason: told } = after(starting, closed(reason));
    assert.deepEqual([phase, told], ["unavailable", reason]);
  });
}

test("an end in mid-answer leaves what was heard", () => {
  const { lines, phase } = after(...speaking, played(250, 1_000, false), closed("disabled"));
  assert.equal(phase, "unavailable");
  assert.equal(heard(lines[1]), "We open");
});

test("a lost session keeps its lines while it is dialled again", () => {
  const { phase, lines } = after(...speaking, { type: "client.reconnecting" });
  assert.equal(phase, "reconnecting");
  assert.ok(lines.length === 2 && lines.every((line) => line.settled));
  assert.equal(after(...speaking, { type: "client.reconnecting" }, ready).phase, "listening");
});

test("after an end a new conversation can begin, below the old one", () => {
  const { phase, reason, lines } = after(...speaking, closed("max_duration"), starting);
  assert.deepEqual([phase, reason, lines.length], ["connecting", null, 2]);
});

test("a snapshot is the same object until something changes", () => {
  const snapshot = after(...speaking, played(500, 1_000));
  for (const event of [played(500, 1_000), { type: "error", code: "unexpected" }, { type: "unheard.of" }]) {
    assert.equal(reduce(snapshot, event), snapshot);
  }
});

test("a snapshot cannot be changed", () => {
  assert.throws(() => { after(...listening).phase = "ended"; }, TypeError);
});

test("whatever happens, the phase is one of ours", () => {
  const events = [...speaking, halt(), done(), { type: "client.interrupted" }, { type: "client.reconnecting" }, closed("idle")];
  for (const first of events) {
    for (const second of events) {
      for (const third of events) assert.ok(PHASES.includes(after(first, second, third).phase));
    }
  }
});

test("a conversation is live from the press to the end", () => {
  assert.deepEqual([after(), after(starting), after(...speaking), after(...speaking, closed("idle"))].map(isLive), [false, true, true, false]);
});
