/** Cuts a stream of samples into frames of PCM16, each in a buffer of its own that can be given away. */
export class Framer {
  #size;
  #frame;
  #filled = 0;
  #energy = 0;

  /** @param {number} size samples per frame */
  constructor(size) {
    this.#size = size;
    this.#frame = new Int16Array(size);
  }

  /** Takes `count` samples (floats, -1 to 1) and calls `emit(frame, level)` for each full frame; level is its RMS. */
  push(samples, count, emit) {
    for (let i = 0; i < count; i++) {
      const sample = Math.max(-1, Math.min(1, samples[i]));
      this.#frame[this.#filled++] = sample < 0 ? sample * 0x8000 : sample * 0x7fff;
      this.#energy += sample * sample;
      if (this.#filled === this.#size) this.#emit(emit);
    }
  }

  /** Forgets a frame that is not full: the microphone was muted in the middle of it. */
  reset() {
    this.#filled = 0;
    this.#energy = 0;
  }

  #emit(emit) {
    const frame = this.#frame;
    const level = Math.sqrt(this.#energy / this.#size);
    this.#frame = new Int16Array(this.#size);
    this.reset();
    emit(frame, level);
  }
}
