/** Push-to-talk: what the visitor says while they hold is one question. */

import { FRAME_SAMPLES, SAMPLE_RATE } from "./protocol.js";

const TAIL_MS = 150; // the microphone stays open, for people let go while they say the last word
const LEAST_MS = 100; // less than this is no question, and the server drops it
const FRAME_MS = (FRAME_SAMPLES * 1000) / SAMPLE_RATE;

/** Of one conversation: with its store, its sound and its line. */
export class Holding {
  #store;
  #sound;
  #line;
  #wait;
  #saidMs = 0; // while the visitor held

  /** @param {(milliseconds: number) => Promise<void>} wait */
  constructor(store, sound, line, wait) {
    this.#store = store;
    this.#sound = sound;
    this.#line = line;
    this.#wait = wait;
  }

  /** A frame of the microphone has gone out. */
  heard() {
    this.#saidMs += FRAME_MS;
  }

  /** The visitor presses the button, `true`, or lets it go. */
  async hold(held) {
    const { held: before } = this.#store.snapshot;
    if (before === null || held === before || !this.#sound.microphone || (held && !this.#isConnected())) return;
    if (!held) return this.#letGo();
    if (!this.#store.snapshot.speaking) this.#saidMs = 0;
    this.#sound.stop();
    this.#store.apply({ type: "client.held" });
    this.#sound.mute(false);
  }

  async #letGo() {
    this.#store.apply({ type: "client.released" });
    await this.#wait(TAIL_MS);
    if (this.#store.snapshot.held) return; // they go on talking
    this.#sound.mute(true);
    if (!this.#line.send("commit")) return;
    this.#store.apply({ type: "client.committed", asked: this.#saidMs >= LEAST_MS });
  }

  #isConnected() {
    const { phase } = this.#store.snapshot;
    return phase !== "connecting" && phase !== "reconnecting";
  }
}
