/**
 * The microphone's side of the audio thread: samples at the device's rate in; out go frames of 40 ms at 24 kHz, each
 * `{pcm: ArrayBuffer, level}`, transferred. `{muted}` comes in, and while it is true nothing goes out.
 */

import { Framer } from "../framer.js";
import { FRAME_SAMPLES, SAMPLE_RATE } from "../protocol.js";
import { Resampler } from "../resampler.js";

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(Math.round(sampleRate), SAMPLE_RATE);
  #framer = new Framer(FRAME_SAMPLES);
  #resampled = new Float32Array(0);
  #muted = false;
  #send = (frame, level) => this.port.postMessage({ pcm: frame.buffer, level }, [frame.buffer]);

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#muted = data.muted;
      this.#framer.reset();
    };
  }

  process([[samples]]) {
    if (!samples || this.#muted) return true;
    const room = this.#resampler.capacity(samples.length);
    if (this.#resampled.length < room) this.#resampled = new Float32Array(room);
    const count = this.#resampler.process(samples, this.#resampled);
    this.#framer.push(this.#resampled, count, this.#send);
    return true;
  }
}

registerProcessor("voice-capture", Capture);
