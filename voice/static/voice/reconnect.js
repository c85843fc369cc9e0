/**
 * When to dial again after a session was lost: a rule for each close code (voice/docs/protocol.md, "How a session
 * ends"). Pure: the code and the time go in, a delay comes out.
 */

const BACKOFF_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
const HEALTHY_MS = 30_000;
const SHORTEST_MS = 1_000; // nothing ever makes us dial more than once a second
const DRAIN_JITTER_MS = 3_000;
// A microphone must not open by itself long after the visitor has turned to something else. Who is told to wait for
// longer than the longest backoff is told so in words, and presses again.
const LONGEST_WAIT_MS = 15_000;
// So long the conversation waits for us: after a network or a server that is gone, it is worth dialling until then.
const WAITING_MS = 60_000;
const LAST_STEP = 3; // of the backoff meanwhile: 8 s, or the minute could pass in one wait

const now = (attempts) => ({ attempts, delay: () => 0 });
const backoff = (attempts) => ({ attempts, delay: ({ attempt, random }) => random() * BACKOFF_MS[attempt] });
const told = (attempts) => ({ attempts, delay: ({ retryAfterMs }) => (retryAfterMs ?? BACKOFF_MS[0]) });
const drained = (attempts) => ({ attempts, delay: ({ random }) => random() * DRAIN_JITTER_MS });
const never = { attempts: 0, delay: () => 0 };

export const RULES = Object.freeze({
  1000: never,
  4400: never,
  4401: now(1),
  4403: never,
  4408: never,
  4409: never,
  4410: never,
  4413: never,
  4429: told(3),
  4430: never,
  4499: backoff(5),
  4500: backoff(1),
  4502: backoff(3),
  4503: never,
  4504: backoff(3),
  4512: drained(5),
  4513: backoff(5),
});
const UNKNOWN = backoff(3); // 1006 (no close frame came), and codes of a newer server
const RESTARTING = backoff(5); // nobody answers, after a server said that it restarts

export class ReconnectPolicy {
  #random;
  #attempt = 0;
  #readyAt = null;
  #restarting = false;
  #lostAt = null; // when the last session that was ready was lost

  /** @param {() => number} random from 0 to 1 */
  constructor(random = Math.random) {
    this.#random = random;
  }

  /** The session is ready. `now` is in milliseconds, here and below. */
  ready(now) {
    this.#readyAt = now;
  }

  /**
   * The session is lost: how many milliseconds to wait before dialling again, or null for "not at all".
   * After 30 s of a healthy session the count of attempts starts anew; and while a lost conversation waits, there is
   * always one more for a connection that nobody answers.
   */
  lost({ code, retryAfterMs = null, now }) {
    if (this.#readyAt !== null && now - this.#readyAt >= HEALTHY_MS) this.#attempt = 0;
    if (this.#readyAt !== null) this.#lostAt = now;
    this.#restarting = code === 4512 || (this.#restarting && this.#readyAt === null);
    this.#readyAt = null;
    const rule = RULES[code] ?? (this.#restarting ? RESTARTING : UNKNOWN);
    const waiting = !(code in RULES) && this.#lostAt !== null && now - this.#lostAt < WAITING_MS;
    if (this.#attempt >= rule.attempts && !waiting) return null;
    const attempt = waiting ? Math.min(this.#attempt, LAST_STEP) : this.#attempt;
    const delay = rule.delay({ attempt, random: this.#random, retryAfterMs });
    if (delay > LONGEST_WAIT_MS) return null;
    this.#attempt += 1;
    return Math.max(SHORTEST_MS, Math.round(delay));
  }
}
