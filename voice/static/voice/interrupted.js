/**
 * Which conversation this tab was in when its page was left, for the page that comes next in it.
 *
 * Only the id of its session is noted, which opens nothing by itself, and only while no page is there: it is taken away
 * as it is read, so a tab that is duplicated does not take over the conversation of the first.
 */

const KEY = "voice.interrupted";
const KEPT_MS = 60_000; // as long as the conversation itself waits

export function remember(sessionId, now = Date.now()) {
  try {
    sessionStorage.setItem(KEY, `${sessionId} ${now}`);
  } catch {
    // Storage blocked by the visitor: the next page begins from nothing.
  }
}

/** The session's id, once; null if there is none, or it was left too long ago. */
export function recall(now = Date.now()) {
  try {
    const [sessionId, at] = (sessionStorage.getItem(KEY) ?? "").split(" ");
    sessionStorage.removeItem(KEY);
    return sessionId && now - Number(at) < KEPT_MS ? sessionId : null;
  } catch {
    return null;
  }
}
