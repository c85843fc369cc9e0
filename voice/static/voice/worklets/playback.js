/**
 * The loudspeaker's side of the audio thread. In come `{push: item, pcm: ArrayBuffer}`, `{finish: item}` and
 * `{stop: item | null}`; out go the reports of `Playout`. A context that refused 24 kHz is fed through a resampler.
 */

import { Playout } from "../playout.js";
import { SAMPLE_RATE } from "../protocol.js";
import { Resampler } from "../resampler.js";

const BLOCK = 128;

class Playback extends AudioWorkletProcessor {
  #playout = new Playout(SAMPLE_RATE);
  #render = Math.round(sampleRate) === SAMPLE_RATE ? (out) => this.#playout.render(out) : this.#resampling();

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      this.#obey(data);
      this.#report();
    };
  }

  process(_inputs, [[out]]) {
    this.#render(out);
    this.#report();
    return true;
  }

  #obey(order) {
    if ("push" in order) this.#playout.push(order.push, new Int16Array(order.pcm));
    else if ("finish" in order) this.#playout.finish(order.finish);
    else if ("stop" in order) this.#playout.stop(order.stop);
  }

  #report() {
    for (const report of this.#playout.takeReports()) this.port.postMessage(report);
  }

  #resampling() {
    const resampler = new Resampler(SAMPLE_RATE, Math.round(sampleRate));
    const block = new Float32Array(BLOCK);
    const converted = new Float32Array(resampler.capacity(BLOCK));
    let next = 0;
    let count = 0;
    return (out) => {
      for (let i = 0; i < out.length; i++) {
        while (next === count) {
          this.#playout.render(block);
          count = resampler.process(block, converted);
          next = 0;
        }
        out[i] = converted[next++];
      }
    };
  }
}

registerProcessor("voice-playback", Playback);
