/** Admission: the page's session and its CSRF token are exchanged for a ticket that opens one socket. */

// A refusal by HTTP is told like the refusal of a socket, so that one rule serves both.
const CODES = { 401: 4401, 429: 4429, 503: 4513 };

/**
 * Why there is no ticket. `ending` is `{code, reason, retryAfterMs}`, as at the end of a session; `unanswered`: nobody
 * has said so, the patience was over.
 */
export class TicketRefused extends Error {
  constructor(ending, { unanswered = false } = {}) {
    super(`no ticket: ${ending.reason}`);
    this.ending = ending;
    this.unanswered = unanswered;
  }
}

/**
 * `{ticket, resume}`: a ticket, for use within half a minute, and a token to go on with the conversation of the session
 * `interrupted`; null if that cannot be, or there is none. Within `patience` milliseconds.
 *
 * @throws {TicketRefused}
 */
export async function requestTicket({ ticketUrl, csrfToken, interrupted = null, patience }, fetch = globalThis.fetch) {
  const token = typeof csrfToken === "function" ? csrfToken() : csrfToken;
  const session = interrupted === null ? {} : { "X-Voice-Session": interrupted };
  const headers = { "X-CSRFToken": token, "Accept": "application/json", ...session };
  const response = await post(fetch, ticketUrl, headers, AbortSignal.timeout(patience));
  const body = await response.json().catch(() => null);
  if (response.ok && typeof body?.ticket === "string") return { ticket: body.ticket, resume: body.resume ?? null };
  throw new TicketRefused(endingOf(response.status, body?.error));
}

async function post(fetch, url, headers, signal) {
  try {
    return await fetch(url, { method: "POST", credentials: "same-origin", headers, signal });
  } catch {
    throw new TicketRefused({ code: 1006, reason: "network", retryAfterMs: null }, { unanswered: signal.aborted });
  }
}

function endingOf(status, error) {
  const reason = error?.code ?? "network";
  const retryAfterMs = error?.retry_after_ms ?? null;
  return { code: codeOf(status, reason), reason, retryAfterMs };
}

function codeOf(status, reason) {
  if (status === 403) return reason === "disabled" ? 4503 : 4403; // "stale_page", too: reload, never retry
  return CODES[status] ?? 1006;
}
