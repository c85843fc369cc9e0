/**
 * react.js with a React of thirty lines: enough of its rules to see when the hook subscribes, what it gives, and that
 * nothing is left when the component goes.
 */

import assert from "node:assert/strict";
import { register } from "node:module";
import { beforeEach, test } from "node:test";

const REACT = `
  let hooks, place, dirty;
  const slot = (make) => { if (place === hooks.length) hooks.push(make()); return hooks[place++]; };
  const changed = (before, after) => !before || after.some((each, n) => !Object.is(each, before[n]));
  export const createElement = (type, props, ...children) => ({ type, props, children });
  export const useState = (first) => { const cell = slot(() => ({ value: first() })); return [cell.value, () => {}]; };
  export const useMemo = (make, needs) => {
    const cell = slot(() => ({}));
    if (changed(cell.needs, needs)) Object.assign(cell, { needs, value: make() });
    return cell.value;
  };
  export const useEffect = (effect, needs) => {
    const cell = slot(() => ({}));
    if (!changed(cell.needs, needs)) return;
    cell.end?.();
    Object.assign(cell, { needs, end: effect() });
  };
  export const useSyncExternalStore = (subscribe, get) => {
    useEffect(() => subscribe(() => { dirty = true; }), [subscribe]);
    return get();
  };
  export const mount = (component) => {
    const own = [];
    return {
      render: (props) => { [hooks, place, dirty] = [own, 0, false]; return component(props); },
      unmount: () => own.forEach((cell) => cell.end?.()),
      get dirty() { return dirty; },
    };
  };
`;
const REACT_URL = `data:text/javascript,${encodeURIComponent(REACT)}`;
const HOOKS = `export const resolve = (name, context, next) =>
  name === "react" ? { url: ${JSON.stringify(REACT_URL)}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(HOOKS)}`);

const { mount } = await import("react");
const { VoiceRealtimeButton, useVoiceRealtime } = await import("../../voice/static/voice/react.js");

const OPTIONS = { csrfToken: "token", ticketUrl: "/ticket", page: { url: "/", title: "Home" } };
let fetched;
beforeEach(() => {
  fetched = [];
  globalThis.fetch = (url) => { fetched.push(url); return new Promise(() => {}); };
});

test("the hook gives the conversation, and the component is rendered again when it changes", async () => {
  const component = mount(useVoiceRealtime);
  const first = component.render(OPTIONS);
  assert.deepEqual([first.snapshot.phase, first.live, component.dirty], ["ready", false, false]);
  first.sendText("Sundays?");
  assert.ok(component.dirty);
  const second = component.render(OPTIONS);
  assert.deepEqual([second.snapshot.lines[0].text, second.live], ["Sundays?", true]);
  assert.equal(second.client, first.client);
  assert.equal(second.sendText, first.sendText);
  component.unmount();
});

test("a component that goes ends its conversation", async () => {
  const component = mount(useVoiceRealtime);
  const ended = [];
  const voice = component.render({ ...OPTIONS, onEnded: (detail) => ended.push(detail.reason) });
  voice.client.on("ended", (detail) => ended.push(detail.reason));
  voice.sendText("Sundays?");
  component.unmount();
  assert.equal(voice.client.getSnapshot().phase, "ended");
  assert.deepEqual(ended, ["client_hangup"]); // the component's own listener went before
});

test("a listener that is another at each render is called once", async () => {
  const component = mount(useVoiceRealtime);
  const ended = [];
  for (let n = 0; n < 3; n++) component.render({ ...OPTIONS, onEnded: () => ended.push(n) });
  const voice = component.render({ ...OPTIONS, onEnded: () => ended.push(3) });
  voice.sendText("Sundays?");
  voice.stop();
  assert.deepEqual(ended, [3]);
});

test("the button starts, and then ends", () => {
  const component = mount(VoiceRealtimeButton);
  const button = component.render({ ...OPTIONS, className: "big", labels: { end: "Terminer" } });
  assert.deepEqual([button.type, button.props.type, button.props.className], ["button", "button", "big"]);
  assert.deepEqual(button.children, ["Start talking"]);
  button.props.onClick();
  const live = component.render({ ...OPTIONS, labels: { end: "Terminer" } });
  assert.deepEqual([live.props["data-phase"], live.children], ["connecting", ["Terminer"]]);
  live.props.onClick();
  assert.equal(component.render(OPTIONS).props["data-phase"], "ended");
});

test("a child is given the snapshot and the word", () => {
  const button = mount(VoiceRealtimeButton).render({ ...OPTIONS, children: ({ snapshot, label }) => `${snapshot.phase}: ${label}` });
  assert.deepEqual(button.children, ["ready: Start talking"]);
});
