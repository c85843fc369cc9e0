import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(`../../voice/${path}`, import.meta.url), "utf8");
const DOCUMENT = read("docs/widget.md");
const CODE = ["view.js", "captions.js", "widget.js", "client.js"].map((name) => read(`static/voice/${name}`)).join("\n");
const CSS = read("static/voice/widget.css");
const quoted = (text) => [...text.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
const between = (from, to) => DOCUMENT.split(from)[1].split(to)[0];

test("each documented part is there, and each part is documented", () => {
  const documented = quoted(between("Parts:", "\n\n")).sort();
  const built = new Set([...CODE.matchAll(/"?part"?: ["`]([a-z]+)|#button\("([a-z]+)"/g)].map(([, one, other]) => one ?? other));
  assert.deepEqual(documented, [...built, "assistant", "visitor"].sort());
});

test("each documented colour can be set, for light and for dark", () => {
  for (const name of quoted(between("Colours:", "each also"))) {
    assert.ok(CSS.includes(`var(--voice-${name},`) && CSS.includes(`var(--voice-${name}-dark,`), name);
  }
  for (const [name] of between("```css", "```").matchAll(/--voice-[a-z-]+/g)) assert.ok(CSS.includes(`var(${name},`), name);
});

test("each documented event is dispatched", () => {
  for (const [, name] of DOCUMENT.matchAll(/^\| `voice:([a-z]+)`/gm)) assert.match(CODE, new RegExp(`"${name}"`));
});

test("each documented method is the client's, and typed", () => {
  const types = read("static/voice/client.d.ts");
  for (const [, name] of between("`start({microphone})`", "A snapshot").matchAll(/`([a-zA-Z]+)[(`]/g)) {
    assert.match(CODE, new RegExp(`^  (async |get )?${name}[( =]`, "m"), name);
    assert.match(types, new RegExp(`\\b${name}[(:<]`), name);
  }
});

test("what is exported is there, with its types", () => {
  const { exports } = JSON.parse(read("static/voice/package.json"));
  const files = Object.values(exports).flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)));
  for (const file of files.filter((each) => !each.includes("*"))) assert.ok(read(`static/voice/${file}`), file);
  const declared = [...read("static/voice/client.d.ts").matchAll(/^  (?:readonly )?([a-zA-Z]+)[(:<]/gm)].map(([, name]) => name);
  for (const [, name] of read("static/voice/state.js").split("INITIAL")[1].split("});")[0].matchAll(/^  ([a-zA-Z]+):/gm)) {
    assert.ok(read("static/voice/client.d.ts").includes(`\n  readonly ${name}:`), name);
  }
  assert.ok(declared.length > 10);
});
