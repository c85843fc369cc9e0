import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

const ROOT = new URL("../../", import.meta.url);
const read = (path) => readFileSync(new URL(path, ROOT), "utf8");
const templates = (folder) => readdirSync(new URL(folder, ROOT), { recursive: true }).filter((name) => name.endsWith(".html"));

/** `{msgid: msgstr}` of a catalogue that has each text on one line. */
function catalogue(path) {
  const entries = [...read(path).matchAll(/^msgid "(.+)"\nmsgstr "(.*)"$/gm)];
  return Object.fromEntries(entries.map(([, id, text]) => [id, text]));
}

const sentences = (folder) => templates(folder).flatMap((name) =>
  [...read(folder + name).matchAll(/{% translate (["'])(.*?)\1 %}/g)].map(([, , sentence]) => sentence));
const holes = (text) => (text.match(/\{\w+\}/g) ?? []).sort();

const FRENCH = { ...catalogue("voice/locale/fr/LC_MESSAGES/django.po"), ...catalogue("project/demo/locale/fr/LC_MESSAGES/django.po") };

test("each sentence of the templates has its French", () => {
  const missing = ["templates/", "voice/templates/"].flatMap(sentences).filter((sentence) => !FRENCH[sentence]);
  assert.deepEqual(missing, []);
  assert.ok(sentences("voice/templates/voice/").length > 40);
});

test("the French fills the same values in", () => {
  for (const [english, french] of Object.entries(FRENCH)) assert.deepEqual(holes(french), holes(english));
});

test("French punctuation has its unbreakable space", () => {
  for (const french of Object.values(FRENCH)) assert.doesNotMatch(french, /(?<![\u00a0\u202f\w/])[:;!?]|\w[!?;:](?!\/)/u);
});
