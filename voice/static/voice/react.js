/**
 * The conversation in a React application (18 or later), without JSX and without a build: a hook that gives the
 * conversation as it is, and a button for those who need nothing else. `react` is the application's own.
 */

import { createElement, useEffect, useMemo, useState, useSyncExternalStore } from "react";

import { VoiceClient } from "./client.js";
import { INITIAL, isAnswering, isLive } from "./state.js";

const serverSnapshot = () => INITIAL;

/**
 * `{snapshot, live, answering, client, start, stop, mute, sendText, interrupt, hold, resume}`. The client is made once,
 * from the options of the first render; `page` and `language` may change, from the next conversation on. It ends its
 * conversation when the component goes.
 *
 * @param {object} options those of `VoiceClient`, and `onReady`, `onTurn`, `onEnded` for its events
 */
export function useVoiceRealtime(options = {}) {
  const { onReady, onTurn, onEnded, page, language, ...rest } = options;
  const [client] = useState(() => new VoiceClient({ ...rest, page, language }));
  const snapshot = useSyncExternalStore(client.subscribe, client.getSnapshot, serverSnapshot);
  useEffect(() => client.configure({ page, language }), [client, page, language]);
  useEvent(client, "ready", onReady);
  useEvent(client, "turn", onTurn);
  useEvent(client, "ended", onEnded);
  useEffect(() => () => client.stop(), [client]);
  const actions = useMemo(() => actionsOf(client), [client]);
  return { snapshot, live: isLive(snapshot), answering: isAnswering(snapshot), client, ...actions };
}

const LABELS = Object.freeze({ start: "Start talking", stop: "Stop the answer", end: "End", resume: "Go on" });

/**
 * One button: start, then stop the answer, then end. `labels` are its words, `className` its looks; `children`, if
 * given, is a function of `{snapshot, label}`. All else are options of `useVoiceRealtime`.
 */
export function VoiceRealtimeButton({ labels = {}, className, children, ...options }) {
  const voice = useVoiceRealtime(options);
  const action = actionFor(voice);
  const label = { ...LABELS, ...labels }[action];
  const press = { start: () => voice.start(), stop: voice.interrupt, end: voice.stop, resume: voice.resume }[action];
  return createElement(
    "button",
    { "type": "button", className, "onClick": press, "data-phase": voice.snapshot.phase, "disabled": voice.snapshot.retryAt !== null },
    children ? children({ snapshot: voice.snapshot, label }) : label,
  );
}

function actionFor({ live, answering, snapshot }) {
  if (!live) return "start";
  if (snapshot.paused) return "resume";
  return answering ? "stop" : "end";
}

function actionsOf(client) {
  const names = ["start", "stop", "mute", "sendText", "interrupt", "hold", "resume"];
  return Object.fromEntries(names.map((name) => [name, (...details) => client[name](...details)]));
}

function useEvent(client, name, listener) {
  useEffect(() => (listener ? client.on(name, listener) : undefined), [client, name, listener]);
}
