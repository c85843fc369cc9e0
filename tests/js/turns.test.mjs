import assert from "node:assert/strict";
import { test } from "node:test";

import { turnFrom } from "../../voice/static/voice/turns.js";

const line = (who, text, change = {}) => ({ who, text, heard: text.length, audible: false, sources: [], ...change });
const sources = [{ n: 1, title: "Opening hours", url: "/help/" }];
const asked = line("visitor", "When?");

test("a turn is a question and what was heard of its answer", () => {
  const answer = line("assistant", "We open at nine.", { audible: true, heard: 7, sources });
  assert.deepEqual(turnFrom([asked, answer], 0), { question: "When?", answer: "We open", sources, next: 2 });
});

test("an answer in several pieces is one answer", () => {
  assert.equal(turnFrom([asked, line("assistant", "At nine."), line("assistant", "On Sundays too.")], 0).answer, "At nine. On Sundays too.");
});

test("the question that interrupted a turn is not yet part of it", () => {
  const lines = [asked, line("assistant", "At nine."), line("visitor", "And on Sundays?")];
  assert.deepEqual(turnFrom(lines, 0), { question: "When?", answer: "At nine.", sources: [], next: 2 });
  assert.deepEqual(turnFrom(lines, 2), { question: "And on Sundays?", answer: "", sources: [], next: 3 });
});

test("a question that was replaced before its answer has none", () => {
  const lines = [asked, line("visitor", "And on Sundays?")];
  assert.deepEqual(turnFrom(lines, 0), { question: "When?", answer: "", sources: [], next: 1 });
});

test("what nobody understood has an answer and no question", () => {
  assert.deepEqual(turnFrom([line("assistant", "Pardon?")], 0), { question: "", answer: "Pardon?", sources: [], next: 1 });
});
