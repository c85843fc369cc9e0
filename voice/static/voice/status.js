/** What the widget says about a snapshot. Pure: names of words and the values in them. */

import { isLive } from "./state.js";

const GONE = new Set(["refused", "missing", "busy", "insecure", "unloaded", "lost"]);
/** Reasons that have a sentence of their own; any other is told as "unavailable". */
export const TOLD_REASONS = Object.freeze([
  "unauthenticated", "auth_expired", "not_in_rollout", "revoked", "timeout", "idle", "concurrent", "max_duration",
  "rate_limited", "disabled", "overloaded", "network", "stale_page", "unloaded", "server_drain",
]);

/** The word for where the conversation stands: `[name, values]`. */
export function phaseWord(snapshot) {
  const { phase, muted, microphone } = snapshot;
  if (microphone === "asking") return ["phase.asking", {}];
  if (phase === "listening" && microphone !== "on") return ["phase.typing", {}];
  if ((phase === "listening" || phase === "interrupted") && muted) return ["phase.muted", {}];
  return [`phase.${phase}`, {}];
}

/** The sentence that explains, or null: trouble with the microphone, an end, a notice, the time that is left. */
export function hint(snapshot) {
  const { phase, reason, microphone, notice, expiring } = snapshot;
  if (phase === "ended" || phase === "unavailable") return endHint(reason, snapshot.retryAfterMs);
  if (GONE.has(microphone)) return [`microphone.${microphone}`, {}];
  if (expiring && isLive(snapshot)) return ["expiring", { seconds: expiring.seconds }];
  return notice ? [`notice.${notice}`, {}] : null;
}

function endHint(reason, retryAfterMs) {
  if (reason === "client_hangup") return null;
  if (reason === "rate_limited" && retryAfterMs) {
    return ["reason.rate_limited_until", { minutes: Math.ceil(retryAfterMs / 60_000) }];
  }
  return [TOLD_REASONS.includes(reason) ? `reason.${reason}` : "reason.other", {}];
}

/** Whether the visitor's own voice is being taken: then its level is shown. */
export function isHearing({ phase, microphone, muted }) {
  return microphone === "on" && !muted && (phase === "listening" || phase === "interrupted");
}
