/**
 * The sound of one conversation: the visitor's microphone, and the speaker that plays the answers. The conversation
 * goes on without either.
 */
export class Sound {
  #worklets;
  #parts;
  #events;
  #microphone = null;
  #speaker = null;
  #asking = false; // for the microphone
  #item = null; // the answer's item that binary frames belong to
  #closed = false;

  /**
   * @param {{captureWorklet: string, playbackWorklet: string}} worklets
   * @param {object} parts those of parts.js
   * @param {object} events `onFrame(pcm)` of the microphone and `onMicrophone(status)`, `onReport(report)` of the speaker
   *   (speaker.js) and `onSpeechless()` when it cannot be had, `onPaused(paused)` when the system takes or gives the sound
   */
  constructor({ captureWorklet, playbackWorklet }, parts, events) {
    this.#worklets = { captureWorklet, playbackWorklet };
    this.#parts = parts;
    this.#events = events;
  }

  get speaker() {
    return this.#speaker;
  }

  get microphone() {
    return this.#microphone;
  }

  /** Call it within a press. */
  async openSpeaker() {
    this.#speaker = this.#parts.speaker({
      worklet: this.#worklets.playbackWorklet,
      onReport: (report) => this.#events.onReport(report),
      onPaused: () => this.#pause(),
    });
    try {
      await this.#speaker.open();
    } catch {
      if (this.#closed) return;
      this.#speaker = null;
      this.#events.onSpeechless();
    }
  }

  /**
   * Call it within a press. False if the microphone cannot be had, if it is being asked for already, or if the
   * conversation ended meanwhile.
   */
  async openMicrophone() {
    if (this.#asking) return false;
    this.#asking = true;
    const microphone = this.#parts.microphone({
      worklet: this.#worklets.captureWorklet,
      onFrame: (pcm) => this.#events.onFrame(pcm),
      onLost: (status) => this.closeMicrophone(status),
      onPaused: () => this.#pause(),
    });
    this.#events.onMicrophone("asking");
    const status = await microphone.open().then(() => "on", (error) => error.status ?? "busy");
    this.#asking = false;
    if (this.#closed) {
      microphone.close();
      return false;
    }
    if (status === "on") this.#microphone = microphone;
    this.#events.onMicrophone(status);
    return status === "on";
  }

  /** `status` is what is told of it from now on. */
  closeMicrophone(status) {
    if (!this.#microphone) return;
    this.#microphone.close();
    this.#microphone = null;
    this.#events.onMicrophone(status);
  }

  mute(muted) {
    this.#microphone?.mute(muted);
  }

  /** Asks for the sound that the system took. Call it within a press. */
  async resume() {
    await Promise.all([this.#speaker?.resume(), this.#microphone?.resume()]);
  }

  /** The frames that come next belong to this item of an answer. */
  expect(item) {
    this.#item = item;
  }

  play(pcm) {
    if (this.#item !== null) this.#speaker?.push(this.#item, pcm);
  }

  /** No more of this item will come. */
  finish(item) {
    this.#speaker?.finish(item);
  }

  /** Silence: nothing of `item` and of later ones, or of any. */
  stop(item = null) {
    this.#speaker?.stop(item);
  }

  close() {
    this.#closed = true;
    this.#microphone?.close();
    this.#speaker?.close();
    this.#microphone = this.#speaker = null;
  }

  #pause() {
    this.#events.onPaused(Boolean(this.#speaker?.paused || this.#microphone?.paused));
  }
}
