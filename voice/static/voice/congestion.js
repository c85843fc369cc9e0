/**
 * Whether the network takes what the microphone gives. Pure: how many bytes wait to leave, and the time, come in.
 *
 * Speech that waits for two seconds is of no use to anyone, so then no more is sent until nearly all has left: a gap,
 * but what follows is heard when it is said. A network that has taken nothing for longer is gone, though nobody said so.
 */

const BYTES_PER_SECOND = 48_000;
const FULL_BYTES = 2 * BYTES_PER_SECOND;
const FREE_BYTES = BYTES_PER_SECOND / 4;
const GONE_MS = 8_000;

export class Congestion {
  #fullSince = null;

  /** "free": send it; "full": drop it; "gone": dial again. `now` is in milliseconds. */
  look(unsentBytes, now) {
    if (unsentBytes >= FULL_BYTES) this.#fullSince ??= now;
    else if (unsentBytes <= FREE_BYTES) this.#fullSince = null;
    if (this.#fullSince === null) return "free";
    return now - this.#fullSince >= GONE_MS ? "gone" : "full";
  }
}
