import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { INITIAL, MICROPHONE, PHASES } from "../../voice/static/voice/state.js";
import { TOLD_REASONS, hints, isHearing, phaseWord, secondsLeft } from "../../voice/static/voice/status.js";
import { endings, section } from "./documented.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const WORDS = new Set([...read("voice/templates/voice/words.html").matchAll(/data-word="([^"]+)"/g)].map(([, name]) => name));
const snapshot = (change) => ({ ...INITIAL, ...change });
const hint = (now) => hints(now)[0] ?? null;
const words = (list) => list.map((name) => assert.ok(WORDS.has(name), `no word for ${name}`));

test("there is a word for each phase, with and without a microphone", () => {
  for (const phase of PHASES) {
    for (const microphone of MICROPHONE) words([phaseWord(snapshot({ phase, microphone }))[0]]);
  }
});

test("the prompt for the microphone is spoken of until something else goes on", () => {
  const word = (phase) => phaseWord(snapshot({ phase, microphone: "asking" }))[0];
  assert.deepEqual(["connecting", "listening", "thinking"].map(word), ["phase.asking", "phase.asking", "phase.thinking"]);
});

test("there is a sentence for each trouble with the microphone, and no two are alike", () => {
  const troubles = ["refused", "missing", "busy", "insecure", "unloaded", "lost"];
  const names = troubles.map((microphone) => hint(snapshot({ microphone }))[0]);
  words(names);
  assert.equal(new Set(names).size, troubles.length);
});

test("there is a sentence for each documented end of a session, except the visitor's own", () => {
  for (const reason of Object.values(endings()).flat().filter((each) => each !== "client_hangup")) {
    words([hint(snapshot({ phase: "unavailable", reason }))[0]]);
  }
  words(TOLD_REASONS.map((reason) => `reason.${reason}`));
  assert.equal(hint(snapshot({ phase: "ended", reason: "client_hangup" })), null);
});

test("there is a sentence for each documented notice", () => {
  const [, list] = section("Server to client").split("`notice` codes:");
  const codes = [...list.split("\n\n")[0].matchAll(/`([a-z_]+)`/g)].map(([, code]) => code);
  assert.equal(codes.length, 7);
  words(codes.map((code) => hint(snapshot({ phase: "listening", notice: code }))[0]));
});

test("who is refused until a time is told which", () => {
  const told = hints(snapshot({ phase: "unavailable", reason: "rate_limited", retryAt: 125_000 }));
  assert.deepEqual(told, [["reason.rate_limited", {}], ["available", { at: new Date(180_000) }]]);
  words(["available", "available.later"]);
});

test("what the system or the network took away has its sentence", () => {
  words([hint(snapshot({ phase: "listening", paused: true }))[0], phaseWord(snapshot({ phase: "listening", paused: true }))[0]]);
  words([hint(snapshot({ phase: "reconnecting" }))[0]]);
  words([hint(snapshot({ phase: "reconnecting", offline: true }))[0], hint(snapshot({ phase: "listening", notice: "was_away" }))[0]]);
  assert.equal(hint(snapshot({ phase: "ended", reason: "client_hangup", paused: true })), null);
});

test("who types because their microphone is blocked is told what becomes of their question", () => {
  const blocked = snapshot({ phase: "listening", microphone: "refused" });
  assert.equal(hint(blocked)[0], "microphone.refused");
  assert.equal(hint({ ...blocked, notice: "answer_failed" })[0], "notice.answer_failed");
});

test("who may hold the button is told so", () => {
  const waiting = snapshot({ phase: "listening", microphone: "on", held: false });
  words([phaseWord(waiting)[0]]);
  assert.equal(phaseWord(waiting)[0], "phase.hold");
  assert.equal(phaseWord({ ...waiting, held: true })[0], "phase.listening");
});

test("the time that is left is counted down from a minute to nothing, while the conversation goes on", () => {
  const ending = snapshot({ phase: "listening", endsAt: 160_000 });
  assert.deepEqual([98_000, 100_000, 115_400, 200_000].map((now) => secondsLeft(ending, now)), [null, 60, 45, 0]);
  assert.equal(secondsLeft({ ...ending, phase: "ended" }, 100_000), null);
  assert.equal(secondsLeft(snapshot({ phase: "listening" }), 100_000), null);
  const warned = { ...ending, expiring: { seconds: 30, why: "budget", endsAt: 130_000 } };
  assert.equal(secondsLeft(warned, 110_000), 20);
});

test("each word that the widget's modules name is in the template", () => {
  for (const module of ["view.js", "captions.js"]) {
    const named = [...read(`voice/static/voice/${module}`).matchAll(/(?:say|labelled)\("([^"]+)"\)/g)].map(([, name]) => name);
    assert.ok(named.length > 0);
    words(named);
  }
  words(["visitor", "assistant", "start", "stop", "end", "mute", "launch", "close", "talk", "release", "resume"]);
});

test("the level is shown exactly while the visitor is being heard", () => {
  assert.ok(isHearing(snapshot({ phase: "listening", microphone: "on" })));
  assert.ok(!isHearing(snapshot({ phase: "listening", microphone: "on", muted: true })));
  assert.ok(!isHearing(snapshot({ phase: "listening", microphone: "off" })));
  assert.ok(!isHearing(snapshot({ phase: "speaking", microphone: "on" })));
  assert.ok(!isHearing(snapshot({ phase: "listening", microphone: "on", away: true })));
  assert.ok(!isHearing(snapshot({ phase: "listening", microphone: "on", held: false })));
  assert.ok(isHearing(snapshot({ phase: "listening", microphone: "on", held: true })));
});
