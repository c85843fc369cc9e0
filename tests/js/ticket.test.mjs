import assert from "node:assert/strict";
import { test } from "node:test";

import { TicketRefused, requestTicket } from "../../voice/static/voice/ticket.js";

const OPTIONS = { ticketUrl: "/v1/voice/ticket", csrfToken: "token", patience: 10_000 };
const answer = (status, body) => async () => new Response(typeof body === "string" ? body : JSON.stringify(body), { status });

async function ending(fetch) {
  try {
    await requestTicket(OPTIONS, fetch);
  } catch (error) {
    assert.ok(error instanceof TicketRefused);
    return error.ending;
  }
  return null;
}

test("the ticket is asked for with the page's session and its CSRF token", async () => {
  let request;
  const { ticket, resume } = await requestTicket(OPTIONS, async (url, options) => {
    request = { url, ...options };
    return new Response(JSON.stringify({ ticket: "jwt", url: "/v1/ws/voice", expires_in: 30 }));
  });
  assert.deepEqual([ticket, resume], ["jwt", null]);
  assert.equal(request.url, "/v1/voice/ticket");
  assert.equal(request.method, "POST");
  assert.equal(request.credentials, "same-origin");
  assert.equal(request.headers["X-CSRFToken"], "token");
  assert.ok(!("X-Voice-Session" in request.headers));
});

test("a page whose conversation was cut off names its session, and gets a token to go on", async () => {
  let headers;
  const { resume } = await requestTicket({ ...OPTIONS, interrupted: "s" }, async (_url, options) => {
    headers = options.headers;
    return new Response(JSON.stringify({ ticket: "jwt", resume: "s.secret" }));
  });
  assert.deepEqual([headers["X-Voice-Session"], resume], ["s", "s.secret"]);
});

for (const [status, code, closeCode] of [
  [401, "unauthenticated", 4401], [403, "disabled", 4503], [403, "not_in_rollout", 4403], [403, "stale_page", 4403], [503, "overloaded", 4513],
]) {
  test(`a refusal by ${status} ${code} is told as ${closeCode}`, async () => {
    const told = await ending(answer(status, { error: { code, message: "…", retry_after_ms: null } }));
    assert.deepEqual(told, { code: closeCode, reason: code, retryAfterMs: null });
  });
}

test("too many tickets: the wait is handed on", async () => {
  const told = await ending(answer(429, { error: { code: "rate_limited", message: "…", retry_after_ms: 120_000 } }));
  assert.deepEqual(told, { code: 4429, reason: "rate_limited", retryAfterMs: 120_000 });
});

test("a network that fails, and an answer that is none, are told as a lost connection", async () => {
  const lost = { code: 1006, reason: "network", retryAfterMs: null };
  assert.deepEqual(await ending(async () => { throw new TypeError("fetch failed"); }), lost);
  assert.deepEqual(await ending(answer(200, "nonsense")), lost);
  assert.deepEqual(await ending(answer(500, "nonsense")), lost);
  assert.equal((await ending(answer(403, "<html>Forbidden</html>"))).reason, "network");
});
