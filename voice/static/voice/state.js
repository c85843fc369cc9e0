/**
 * The conversation as the visitor sees it: `reduce(snapshot, event)` gives the next snapshot and changes nothing.
 *
 * Events are the server's messages as they come from the wire, and the client's own, named `client.*`. A snapshot is
 * the same object until something in it changes, so that it can be compared by identity.
 *
 * Two facts stand beside the phase, because the messages of an old turn may arrive when the next has begun:
 * `speaking` (the visitor is heard to speak) and `asked` (a question waits for its answer). The end of a turn brings
 * the phase back to "listening" only if neither holds.
 */

import {
  recalled, settled, withAnswerWords, withAudio, withOpenPlace, withPlace, withPlayed, withTypedQuestion, withVisitorWords,
} from "./transcript.js";

export const PHASES = Object.freeze([
  "ready", "connecting", "listening", "thinking", "speaking", "interrupted", "reconnecting", "ended", "unavailable",
]);
/** The microphone is off by choice, being asked for, open, or cannot be had. */
export const MICROPHONE = Object.freeze([
  "off", "asking", "on", "refused", "missing", "busy", "insecure", "unloaded", "lost",
]);

export const INITIAL = Object.freeze({
  phase: "ready",
  reason: null, // why the conversation ended: a reason of session.ending, or "network", "stale_page", "unloaded"
  retryAt: null, // when a conversation is possible again, in milliseconds since 1970; null: at any time
  microphone: "off",
  muted: false,
  away: false, // the page is out of sight, and the microphone rests until it is back
  paused: false, // the system took the sound away: a call, a locked screen
  offline: false,
  slow: false, // the network takes less than the microphone gives: what is said now is not heard
  held: null, // push-to-talk: whether the visitor holds; null where the voice itself is waited for
  speaking: false,
  asked: false,
  lines: Object.freeze([]),
  sources: Object.freeze([]), // of the coming answer, until its line is there
  notice: null,
  endsAt: null, // when the conversation has lasted as long as it may, in milliseconds since 1970
  expiring: null, // {seconds, why, endsAt}; `endsAt` in milliseconds since 1970
  sessionId: null,
});

const LIVE = new Set(["connecting", "listening", "thinking", "speaking", "interrupted", "reconnecting"]);
// These ends are nobody's fault; all others mean that the voice is not available.
const PLAIN_ENDS = new Set(["client_hangup", "client_away", "timeout", "idle", "max_duration", "budget", "concurrent"]);

export function isLive(snapshot) {
  return LIVE.has(snapshot.phase);
}

export function isAnswering(snapshot) {
  return snapshot.phase === "thinking" || snapshot.phase === "speaking";
}

export function reduce(snapshot, event) {
  const change = RULES[event.type]?.(snapshot, event);
  return change ? changed(snapshot, change) : snapshot;
}

function changed(snapshot, change) {
  const differs = Object.keys(change).some((key) => change[key] !== snapshot[key]);
  return differs ? Object.freeze({ ...snapshot, ...change }) : snapshot;
}

const RULES = {
  "client.starting": (_now, { pushToTalk = false }) => ({
    phase: "connecting",
    reason: null,
    retryAt: null,
    notice: null,
    endsAt: null,
    expiring: null,
    held: pushToTalk ? false : null,
  }),
  "client.welcome": () => ({ phase: "ready", reason: null, retryAt: null }),
  "client.microphone": (now, { status }) => ({
    microphone: status,
    phase: now.phase === "connecting" && isProblem(status) && !now.asked ? "ready" : now.phase,
    notice: isProblem(status) ? null : now.notice, // what is newest is told
  }),
  "client.muted": (_now, { muted }) => ({ muted }),
  "client.away": (_now, { away }) => ({ away, notice: away ? null : "was_away" }),
  "client.paused": (_now, { paused }) => ({ paused }),
  "client.network": (_now, { offline }) => ({ offline }),
  "client.slow": (_now, { slow }) => ({ slow }),
  "client.held": (now) => ({
    held: true,
    phase: "listening",
    speaking: true,
    asked: false,
    notice: null,
    sources: [],
    lines: withOpenPlace(settled(now.lines)),
  }),
  "client.released": () => ({ held: false }),
  "client.committed": (_now, { asked }) => ({ speaking: false, asked, phase: asked ? "thinking" : "listening" }),
  "client.asked": (now, { text }) => ({
    phase: isLive(now) && !waiting(now) ? "thinking" : now.phase,
    asked: true,
    speaking: false,
    notice: null,
    sources: [],
    lines: withTypedQuestion(settled(now.lines), text),
  }),
  "client.interrupted": (now) => ({ phase: "interrupted", asked: false, lines: answered(now) }),
  "client.played": (now, { report }) => ({ lines: withPlayed(now.lines, report) }),
  "client.notice": (_now, { code }) => ({ notice: code }),
  "client.reconnecting": (now) => ({ phase: "reconnecting", notice: null, ...atRest(now) }),
  "client.closed": (now, { reason, retryAt = null }) => ({
    phase: PLAIN_ENDS.has(reason) ? "ended" : "unavailable",
    reason,
    retryAt,
    notice: null,
    muted: false,
    away: false,
    paused: false,
    microphone: isProblem(now.microphone) ? now.microphone : "off",
    ...atRest(now),
  }),

  "session.ready": (now, { session_id }) => ({
    phase: now.asked ? "thinking" : "listening",
    sessionId: session_id,
  }),
  // What the page itself has seen says more: how much was heard, and the sources.
  "history": (now, { items }) =>
    now.lines.length > 0 ? { notice: "resumed" } : { notice: "taken_up", lines: recalled(items) },
  "speech.started": (now, { item_id }) => ({
    phase: now.phase === "speaking" || now.phase === "interrupted" ? "interrupted" : "listening",
    speaking: true,
    asked: false,
    notice: null,
    sources: [],
    lines: withPlace(settled(now.lines), item_id),
  }),
  "speech.stopped": () => ({ phase: "thinking", speaking: false, asked: true }),
  "transcript.user": (now, message) => ({ lines: withVisitorWords(now.lines, message) }),
  "transcript.assistant": (now, message) => answering(now, message, withAnswerWords(now.lines, message, now.sources)),
  "audio.item": (now, message) => answering(now, message, withAudio(now.lines, message.item_id, now.sources)),
  "playback.stop": (now) => ({ phase: now.phase === "speaking" ? "interrupted" : now.phase, lines: answered(now) }),
  "context": (_now, { sources }) => ({ sources }),
  "turn.done": (now, { outcome }) => turnDone(now, outcome),
  "notice": (_now, { code }) => ({ notice: code }),
  "client.lasts": (_now, { endsAt }) => ({ endsAt }),
  "client.expiring": (_now, { seconds, why, endsAt }) => ({
    notice: null,
    expiring: Object.freeze({ seconds, why, endsAt }),
  }),
};

/** A new answer begins, or a known one goes on: what still comes of an old one changes its line only. */
function answering(now, { item_id }, lines) {
  const old = now.lines.find(({ id }) => id === item_id);
  if (old?.settled) return { lines };
  return { phase: now.speaking ? now.phase : "speaking", asked: false, sources: [], lines };
}

/** The answers have come to their end. Where the visitor speaks, they had before, and the visitor's words still grow. */
function answered(now) {
  return now.speaking ? now.lines : settled(now.lines);
}

function turnDone(now, outcome) {
  if (now.speaking || (now.asked && outcome !== "failed")) return null;
  const phase = now.phase === "interrupted" ? "interrupted" : "listening";
  return { phase, asked: false, lines: settled(now.lines, { heard: outcome === "completed" }) };
}

function atRest(now) {
  return {
    speaking: false,
    held: now.held === null ? null : false,
    asked: false,
    slow: false,
    sources: [],
    endsAt: null,
    expiring: null,
    lines: settled(now.lines),
  };
}

function waiting(now) {
  return now.phase === "connecting" || now.phase === "reconnecting";
}

function isProblem(status) {
  return status !== "off" && status !== "asking" && status !== "on";
}
