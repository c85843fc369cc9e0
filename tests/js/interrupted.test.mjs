import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { recall, remember } from "../../voice/static/voice/interrupted.js";

beforeEach(() => {
  const stored = new Map();
  globalThis.sessionStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
    removeItem: (key) => stored.delete(key),
  };
});
afterEach(() => { delete globalThis.sessionStorage; });

test("what a page has left is there for the next one, once", () => {
  remember("s", 1_000);
  assert.equal(recall(60_999), "s");
  assert.equal(recall(60_999), null);
});

test("after a minute nobody waits any more", () => {
  remember("s", 1_000);
  assert.equal(recall(61_000), null);
});

test("where nothing was left there is nothing", () => assert.equal(recall(), null));

test("a visitor who blocks storage begins from nothing", () => {
  delete globalThis.sessionStorage;
  remember("s");
  assert.equal(recall(), null);
});
