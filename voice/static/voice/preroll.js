/**
 * How much audio must be there before playing starts (or starts again): enough to bridge the network's jitter, as
 * little as possible beyond that. It grows with each underrun and shrinks while all goes well.
 */

const FIRST_MS = 60;
const SHORTEST_MS = 40; // one frame of most servers
const LONGEST_MS = 400;
const GROWTH = 1.5;
const STEP_DOWN_MS = 20;
const CALM_MS = 10_000;

export class PreRoll {
  #rate;
  #milliseconds = FIRST_MS;
  #calm = 0; // samples played since the last change

  /** @param {number} rate samples per second */
  constructor(rate) {
    this.#rate = rate;
  }

  get samples() {
    return Math.round((this.#milliseconds * this.#rate) / 1000);
  }

  underrun() {
    this.#milliseconds = Math.min(LONGEST_MS, this.#milliseconds * GROWTH);
    this.#calm = 0;
  }

  played(samples) {
    this.#calm += samples;
    if (this.#calm * 1000 < CALM_MS * this.#rate) return;
    this.#milliseconds = Math.max(SHORTEST_MS, this.#milliseconds - STEP_DOWN_MS);
    this.#calm = 0;
  }
}
