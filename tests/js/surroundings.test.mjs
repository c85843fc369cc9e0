import assert from "node:assert/strict";
import { test } from "node:test";

import { watch, whenReachable } from "../../voice/static/voice/surroundings.js";

function world({ hidden = false, onLine = true } = {}) {
  const page = Object.assign(new EventTarget(), { document: Object.assign(new EventTarget(), { hidden }), navigator: { onLine } });
  page.happens = (type, change = {}) => {
    Object.assign(page.document, change.document);
    Object.assign(page.navigator, change.navigator);
    (type === "visibilitychange" ? page.document : page).dispatchEvent(new Event(type));
  };
  return page;
}

test("what happens around the conversation is told until nobody wants to know", () => {
  const told = [];
  const page = world();
  const unwatch = watch({
    onHidden: (hidden) => told.push(["hidden", hidden]),
    onOffline: (offline) => told.push(["offline", offline]),
    onLeave: () => told.push(["leave"]),
  }, page);
  page.happens("visibilitychange", { document: { hidden: true } });
  page.happens("offline");
  page.happens("online");
  page.happens("pagehide");
  unwatch();
  page.happens("offline");
  assert.deepEqual(told, [["hidden", true], ["offline", true], ["offline", false], ["leave"]]);
});

test("who dials waits until the page is seen and the network is there", async () => {
  const page = world({ hidden: true, onLine: false });
  let reached = false;
  whenReachable(page).then(() => { reached = true; });
  page.happens("online", { navigator: { onLine: true } });
  await null;
  assert.ok(!reached);
  page.happens("visibilitychange", { document: { hidden: false } });
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(reached);
});

test("where there is no page, nothing is waited for", () => whenReachable({}));
