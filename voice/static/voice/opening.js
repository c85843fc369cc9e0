/**
 * How a conversation comes to be. Whoever speaks is asked for their microphone before the server is dialled, or, where
 * the site wants it so, while it is. Whoever types waits for no microphone. Whoever comes back goes on in writing.
 */
export class Opening {
  #sound;
  #line;
  #needs = null; // what the conversation is nothing without: the "microphone" that is being asked for, or its "past"
  #speakerOpened = null; // a promise, once a press has let it be opened
  #over = false;

  /** Of one conversation: of its sound and its line. */
  constructor(sound, line) {
    this.#sound = sound;
    this.#line = line;
  }

  /** Whether the microphone is waited for, and nothing was typed. */
  get isWaiting() {
    return this.#needs === "microphone";
  }

  /** By voice; `warm` dials meanwhile. Call it within a press. False: there is no microphone, and so no conversation. */
  async speak({ warm = false }) {
    this.#needs = "microphone";
    const opened = this.openSpeaker();
    const given = this.#sound.openMicrophone();
    if (warm) this.#dial();
    if (!(await given) && this.isWaiting) return false;
    await opened;
    this.#dial();
    return true;
  }

  /** In writing, with a speaker, or the answer would not be heard. Call it within a press. */
  async write() {
    await this.openSpeaker();
    this.#dial();
  }

  /** With the conversation of a page that was left, or not at all. Without a press, so the speaker waits for one. */
  goOn() {
    this.#needs = "past";
    this.#dial();
  }

  /** There is a microphone, or a question: nothing else is needed. */
  suffice() {
    this.#needs = null;
  }

  /** Once. Call it within a press. */
  async openSpeaker() {
    this.#speakerOpened ??= this.#sound.openSpeaker();
    await this.#speakerOpened;
  }

  /** The server has let the line go before anything was said. False: it is not dialled again, as there is no reason to. */
  again() {
    if (this.#needs !== null) return false;
    this.#dial();
    return true;
  }

  /** Nothing is dialled any more. */
  cancel() {
    this.#needs = null;
    this.#over = true;
  }

  #dial() {
    if (!this.#over && !this.#line.isDialled) this.#line.dial();
  }
}
