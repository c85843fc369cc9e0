/**
 * Push-to-talk without its button: presses and the time go in, whether the visitor holds comes out. Who keeps pressing
 * talks until they let go; who just taps talks until they tap again, because not everyone can keep a button pressed.
 */

const TAP_MS = 300;

export class Push {
  #held = false;
  #pressedAt = null; // of the press that began the talk, until it is let go

  get held() {
    return this.#held;
  }

  /** The button goes down at `now`, in milliseconds. */
  press(now) {
    this.#pressedAt = this.#held ? null : now;
    this.#held = !this.#held;
  }

  /** The button comes up. */
  release(now) {
    if (this.#pressedAt !== null && now - this.#pressedAt >= TAP_MS) this.#held = false;
    this.#pressedAt = null;
  }

  /** Something else ended it: the page went out of sight, the conversation is over. */
  cancel() {
    this.#held = false;
    this.#pressedAt = null;
  }
}
