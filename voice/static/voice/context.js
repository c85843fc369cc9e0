/**
 * An AudioContext that is open. The system may take its sound away, for a call, for Siri, for a locked screen; then its
 * state is "interrupted" (WebKit) or "suspended". It may come back by itself, else only by a press.
 */
export class OpenContext {
  #context;
  #onChange;

  /** @param {() => void} onChange called when `paused` may have changed */
  constructor(context, onChange) {
    this.#context = context;
    this.#onChange = onChange;
    context.addEventListener("statechange", this.#onChange);
  }

  get paused() {
    return this.#context.state !== "running" && this.#context.state !== "closed";
  }

  /** Call it within a press. A browser may say that it resumed, and not have done so: look at `paused`. */
  async resume() {
    if (this.paused) await this.#context.resume().catch(() => {});
    this.#onChange();
  }

  close() {
    this.#context.removeEventListener("statechange", this.#onChange);
    if (this.#context.state !== "closed") this.#context.close();
  }
}
