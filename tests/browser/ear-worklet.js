/** The audio thread's side of ear.js: each tenth of a second that was played, as `{first, pcm}`. */

const LENGTH = 2_400;

class Ear extends AudioWorkletProcessor {
  #pcm = new Int16Array(LENGTH);
  #length = 0;

  process([[samples]]) {
    if (!samples) return true;
    for (const sample of samples) this.#pcm[this.#length++] = Math.round(sample * 0x8000);
    if (this.#length + samples.length > LENGTH) this.#send(samples.length);
    return true;
  }

  #send(last) {
    const pcm = this.#pcm.slice(0, this.#length).buffer;
    this.port.postMessage({ first: currentFrame + last - this.#length, pcm }, [pcm]);
    this.#length = 0;
  }
}

registerProcessor("ear", Ear);
