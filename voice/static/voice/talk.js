/** A button that one talks with: by pointer, by Space or Enter, or by the click of an assistive technology. See push.js. */

import { Push } from "./push.js";

const KEYS = new Set([" ", "Enter"]);

export class TalkButton {
  #push = new Push();
  #possible;
  #hold;
  #byHand = false; // the click that follows belongs to a press which was already understood

  /**
   * @param {HTMLElement} button
   * @param {() => boolean} possible whether a press means talking now; otherwise it is left alone
   * @param {(held: boolean) => void} hold
   */
  constructor(button, possible, hold) {
    this.#possible = possible;
    this.#hold = hold;
    button.addEventListener("pointerdown", (event) => event.button === 0 && this.#down(event));
    for (const type of ["pointerup", "pointercancel", "lostpointercapture"]) button.addEventListener(type, (event) => this.#up(event));
    button.addEventListener("keydown", (event) => KEYS.has(event.key) && (event.repeat || this.#down(event)));
    button.addEventListener("keyup", (event) => KEYS.has(event.key) && this.#up(event));
    button.addEventListener("blur", () => this.#change(() => this.#push.cancel()));
    button.addEventListener("contextmenu", (event) => this.#push.held && event.preventDefault()); // a long touch
    button.addEventListener("click", (event) => this.#click(event), { capture: true });
  }

  /** What holds now, after something else may have ended it. */
  follow(held) {
    if (!held) this.#push.cancel();
  }

  #down(event) {
    if (!this.#possible()) return;
    this.#byHand = true;
    if (event.pointerId !== undefined) event.currentTarget.setPointerCapture(event.pointerId);
    this.#change(() => this.#push.press(event.timeStamp));
  }

  #up(event) {
    if (this.#byHand) setTimeout(() => { this.#byHand = false; });
    this.#change(() => this.#push.release(event.timeStamp));
  }

  /** A click that no hand has made is a tap: on, or off. */
  #click(event) {
    if (this.#byHand) return event.stopImmediatePropagation();
    if (!this.#possible()) return;
    event.stopImmediatePropagation();
    this.#change(() => { this.#push.press(event.timeStamp); this.#push.release(event.timeStamp); });
  }

  #change(step) {
    const before = this.#push.held;
    step();
    if (this.#push.held !== before) this.#hold(this.#push.held);
  }
}
