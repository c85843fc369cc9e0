import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { accentsOf, contrast, parse } from "../../voice/static/voice/accent.js";

const CSS = readFileSync(new URL("../../voice/static/voice/widget.css", import.meta.url), "utf8");
const surface = (name) => parse(CSS.match(new RegExp(`--voice-${name}, (#[0-9a-f]+)`))[1]);

test("whatever colour the site chose, words in it and on it can be read, on every surface, light and dark", () => {
  const steps = [0, 0x33, 0x66, 0x99, 0xcc, 0xff];
  for (const red of steps) for (const green of steps) for (const blue of steps) {
    const colour = `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
    const { accent, onAccent, accentDark, onAccentDark } = accentsOf(colour);
    for (const [word, behind] of [
      [accent, surface("surface")], [accent, surface("sunken")], [accentDark, surface("surface-dark")],
      [accentDark, surface("sunken-dark")], [onAccent, parse(accent)], [onAccentDark, parse(accentDark)],
    ]) assert.ok(contrast(parse(word), behind) >= 4.5, `${colour}: ${word} on ${behind}`);
  }
});

test("a colour that can be read is left as it is", () => assert.equal(accentsOf("#0b6e75").accent, "#0b6e75"));
test("three digits are a colour too", () => assert.equal(accentsOf("#07a").accent, accentsOf("#0077aa").accent));

for (const colour of [null, "", "red", "#12345", "#0b6e75; color: red", "url(x)"]) {
  test(`${colour} is no colour`, () => assert.equal(accentsOf(colour), null));
}
