import assert from "node:assert/strict";
import { test } from "node:test";

import { wording } from "../../voice/static/voice/words.js";

const WORDS = new Map([["available", "Again at {at}."], ["available.later", "Again on {at}."], ["left", "{time} left"]]);
const plain = (text) => text.replace(/[\u00a0\u202f]/g, " ");
const today = (hours, minutes) => { const date = new Date(); date.setHours(hours, minutes, 0, 0); return date; };

test("values are filled in, and a word that is missing shows its name", () => {
  const { say } = wording(WORDS, "en");
  assert.deepEqual([say("left", { time: "0:45" }), say("left"), say("right")], ["0:45 left", "{time} left", "right"]);
});

test("a time of today is told by the visitor's clock, as their language writes it", () => {
  assert.equal(wording(WORDS, "fr").say("available", { at: today(14, 32) }), "Again at 14:32.");
  assert.equal(plain(wording(WORDS, "en-US").say("available", { at: today(14, 32) })), "Again at 2:32 PM.");
});

test("the hours of the night are written with two digits where that is usual", () => {
  assert.equal(wording(WORDS, "fr").say("available", { at: today(0, 23) }), "Again at 00:23.");
});

test("a time of another day is told with its day", () => {
  const at = new Date(2031, 0, 6, 14, 32);
  assert.match(plain(wording(WORDS, "fr").say("available", { at })), /^Again on lundi 6 janvier 2031 (à|,) ?14:32\.$/);
});

test("a language that nobody knows is the browser's own", () => {
  assert.match(wording(WORDS, "x y").say("available", { at: today(14, 32) }), /\d/);
});
