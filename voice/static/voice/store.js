/** The snapshot of a conversation (state.js), and those who follow it: each change, or an event by its name. */

import { INITIAL, reduce } from "./state.js";

export class Store {
  #snapshot = INITIAL;
  #listeners = new Set();
  #audience = new Map(); // name of an event → its listeners

  get snapshot() {
    return this.#snapshot;
  }

  /** Calls `listener()` after each change; returns what ends that. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener(detail)` at each event of that name; returns what ends that. */
  on(name, listener) {
    const listeners = this.#audience.get(name) ?? new Set();
    this.#audience.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  apply(event) {
    const next = reduce(this.#snapshot, event);
    if (next === this.#snapshot) return;
    this.#snapshot = next;
    for (const listener of this.#listeners) listener();
  }

  tell(name, detail) {
    for (const listener of this.#audience.get(name) ?? []) listener(detail);
  }
}
