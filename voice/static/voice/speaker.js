/**
 * The answer's way to the visitor's ear: a worklet that plays and counts, then an analyser, then an `<audio>` element,
 * because Chromium's echo canceller hears media elements but not always the bare output of an AudioContext. Where the
 * element may not play, the sound goes out directly.
 */

import { OpenContext } from "./context.js";
import { SAMPLE_RATE } from "./protocol.js";

export class Speaker {
  #worklet;
  #onReport;
  #onPaused;
  #context = null;
  #open = null; // the same, watched
  #node = null;
  #audio = null;
  #analyser = null;
  #window = null;

  /**
   * @param {{worklet: string, onReport: (report: object) => void, onPaused: () => void}} options
   *   `onPaused` is called when `paused` may have changed. `onReport` gets `{item_id, played_ms, received_ms, underruns, complete, over}`: every 250 ms while playing, at the
   *   end of an item, and at once after a stop.
   */
  constructor({ worklet, onReport, onPaused }) {
    this.#worklet = worklet;
    this.#onReport = onReport;
    this.#onPaused = onPaused;
  }

  /** Whether the system has taken the sound away. */
  get paused() {
    return this.#open?.paused ?? false;
  }

  /** Call it within the visitor's press. */
  async resume() {
    await Promise.all([this.#open?.resume(), this.#audio?.play().catch(() => {})]);
  }

  /** An AnalyserNode on all that is played, for meters and for measurements; null while the speaker is closed. */
  get analyser() {
    return this.#analyser;
  }

  /** Loudness of what is being played, its RMS from 0 to 1. */
  get level() {
    if (!this.#analyser) return 0;
    this.#analyser.getFloatTimeDomainData(this.#window);
    return Math.sqrt(this.#window.reduce((sum, sample) => sum + sample * sample, 0) / this.#window.length);
  }

  /** Call it within the visitor's press: elsewhere browsers keep an AudioContext silent. */
  async open() {
    try {
      this.#context = newContext();
      await Promise.all([this.#context.audioWorklet.addModule(this.#worklet), this.#context.resume()]);
      this.#connect();
      await this.#playThroughElement();
      this.#open = new OpenContext(this.#context, this.#onPaused);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** The next audio of an item, PCM16; the buffer is given away. */
  push(item, pcm) {
    this.#node?.port.postMessage({ push: item, pcm }, [pcm]);
  }

  /** No more audio of this item will come. */
  finish(item) {
    this.#node?.port.postMessage({ finish: item });
  }

  /** Silence: drops what is not played of `item` and of later ones, or of everything. */
  stop(item = null) {
    this.#node?.port.postMessage({ stop: item });
  }

  close() {
    if (this.#node) this.#node.port.onmessage = null;
    if (this.#audio) this.#audio.srcObject = null;
    if (this.#open) this.#open.close();
    else this.#context?.close();
    this.#context = this.#open = this.#node = this.#audio = this.#analyser = null;
  }

  #connect() {
    this.#node = new AudioWorkletNode(this.#context, "voice-playback", { numberOfInputs: 0, outputChannelCount: [1] });
    this.#node.port.onmessage = ({ data }) => this.#onReport(data);
    this.#analyser = new AnalyserNode(this.#context, { fftSize: 512, smoothingTimeConstant: 0 });
    this.#window = new Float32Array(this.#analyser.fftSize);
    this.#node.connect(this.#analyser);
  }

  async #playThroughElement() {
    const destination = new MediaStreamAudioDestinationNode(this.#context, { channelCount: 1 });
    this.#audio = new Audio();
    this.#audio.srcObject = destination.stream;
    try {
      await this.#audio.play();
      this.#analyser?.connect(destination);
    } catch {
      this.#analyser?.connect(this.#context.destination);
    }
  }
}

/** At 24 kHz where the browser can; the worklet resamples elsewhere. */
function newContext() {
  try {
    return new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
  } catch {
    return new AudioContext({ latencyHint: "interactive" });
  }
}
