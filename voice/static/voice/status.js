/** What the widget says about a snapshot. Pure: names of words (words.js) and the values in them. */

import { isAnswering, isLive } from "./state.js";

const LAST_SECONDS = 60;
const GONE = new Set(["refused", "missing", "busy", "insecure", "unloaded", "lost"]);
/** Reasons that have a sentence of their own; any other is told as "unavailable". */
export const TOLD_REASONS = Object.freeze([
  "unauthenticated", "auth_expired", "not_in_rollout", "revoked", "timeout", "idle", "concurrent", "max_duration", "budget", "day_budget",
  "rate_limited", "disabled", "overloaded", "network", "stale_page", "unloaded", "server_drain",
  "upstream_closed", "upstream_rate_limited", "upstream_timeout", "slow_client", "internal_error",
]);

/** The word for where the conversation stands: `[name, values]`. */
export function phaseWord(snapshot) {
  const { phase, muted, microphone, held } = snapshot;
  if (microphone === "asking" && !isAnswering(snapshot)) return ["phase.asking", {}];
  if (snapshot.paused && isLive(snapshot)) return ["phase.paused", {}];
  if (phase === "listening" && held === false && microphone === "on") return ["phase.hold", {}];
  if (phase === "listening" && microphone !== "on") return ["phase.typing", {}];
  if ((phase === "listening" || phase === "interrupted") && (muted || snapshot.away)) return ["phase.muted", {}];
  return [`phase.${phase}`, {}];
}

/**
 * The sentences that explain, as `[name, values]` each: an end and when it is over, trouble with the sound or the
 * network, a notice, trouble with the microphone, the time that is left. A notice goes with the next question; who types
 * because their microphone is blocked must not miss it.
 */
export function hints(snapshot) {
  const { phase, reason, retryAt, microphone, notice, expiring } = snapshot;
  if (phase === "ended" || phase === "unavailable") return endHints(reason, retryAt);
  if (isLive(snapshot) && snapshot.paused) return [["paused", {}]];
  if (phase === "reconnecting") return [[snapshot.offline ? "offline" : "reconnecting", {}]];
  if (isLive(snapshot) && snapshot.slow) return [["slow", {}]];
  if (notice) return [[`notice.${notice}`, {}]];
  if (GONE.has(microphone)) return [[`microphone.${microphone}`, {}]];
  return expiring && isLive(snapshot) ? [["expiring", {}]] : [];
}

function endHints(reason, retryAt) {
  if (reason === "client_hangup" || reason === "client_away") return [];
  const sentence = [TOLD_REASONS.includes(reason) ? `reason.${reason}` : "reason.other", {}];
  return retryAt === null ? [sentence] : [sentence, ["available", { at: minuteAfter(retryAt) }]];
}

/** Times are told without their seconds, and nobody should come a minute too early. */
function minuteAfter(at) {
  return new Date(Math.ceil(at / 60_000) * 60_000);
}

/** Whether the visitor's own voice is being taken: then its level is shown. */
export function isHearing({ phase, microphone, muted, away, paused, held }) {
  const open = microphone === "on" && !muted && !away && !paused && held !== false;
  return open && (phase === "listening" || phase === "interrupted");
}

/** The seconds that are left, from the last minute on, else null. `now` is in milliseconds since 1970. */
export function secondsLeft(snapshot, now) {
  const endsAt = snapshot.expiring?.endsAt ?? snapshot.endsAt;
  if (endsAt === null || !isLive(snapshot)) return null;
  const left = Math.max(0, Math.round((endsAt - now) / 1000));
  return left <= LAST_SECONDS ? left : null;
}
