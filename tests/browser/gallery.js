/**
 * Stands in for client.js: a client that is whatever a test says. `window.client.play(events)` shows what the real rules
 * (state.js) make of these events.
 */

import { INITIAL, reduce } from "./state.js";

export class VoiceClient {
  #listeners = new Set();
  #snapshot = INITIAL;
  level = 0.09;
  told = [];

  constructor() {
    window.client = this;
    for (const name of ["start", "stop", "mute", "sendText", "interrupt", "hold", "resume"]) {
      this[name] = (...details) => { this.told.push([name, ...details]); return true; };
    }
  }

  subscribe = (listener) => { this.#listeners.add(listener); };
  getSnapshot = () => this.#snapshot;
  on() {}
  configure() {}

  play(events) {
    this.#snapshot = events.reduce(reduce, INITIAL);
    for (const listener of this.#listeners) listener();
  }
}
