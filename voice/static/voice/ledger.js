/**
 * What was played of each item of the answer, counted in samples. The model's memory of an interrupted answer is cut
 * to this number, so it counts what left for the loudspeaker and nothing else.
 *
 * Items are played in the order in which they came. An item is over when the server said that no more of it will come
 * and all of it was played, or when it was stopped; what still arrives of a stopped item is refused.
 */

const REMEMBERED = 16; // items that are over: the server may ask about one once more

export class PlaybackLedger {
  #rate;
  #items = new Map(); // id → {received, played, underruns, complete, stopped}, oldest first
  #queue = []; // ids that are not over

  /** @param {number} rate samples per second */
  constructor(rate) {
    this.#rate = rate;
  }

  /** The item whose turn it is, or null. */
  get current() {
    return this.#queue[0] ?? null;
  }

  /** No item waits for more samples: what is here can be played to its end. */
  get complete() {
    return this.#queue.every((id) => this.#items.get(id).complete);
  }

  /** Whether samples of this item are still wanted. */
  accepts(id) {
    const item = this.#items.get(id);
    return !item || !(item.stopped || item.complete);
  }

  /** `samples` came of this item. A new item completes those before it; returns the items that are over by that. */
  receive(id, samples) {
    this.#open(id).received += samples;
    for (const earlier of this.#queue.slice(0, -1)) this.#items.get(earlier).complete = true;
    return this.#settle();
  }

  /** No more of this item will come. Returns the items that are over by that. */
  finish(id) {
    const item = this.#items.get(id);
    if (item) item.complete = true;
    return this.#settle();
  }

  /** `samples` were played, of the current item and those behind it. Returns the items that are over by that. */
  play(samples) {
    let left = samples;
    for (const id of this.#queue) {
      const item = this.#items.get(id);
      const share = Math.min(left, item.received - item.played);
      item.played += share;
      left -= share;
    }
    return this.#settle();
  }

  /** The current item had nothing to play although more of it was promised. */
  underrun() {
    if (this.current !== null) this.#items.get(this.current).underruns += 1;
  }

  /**
   * Stops `id` and all later items (null: everything). Returns them and the number of their samples that will not be
   * played. An item that never came is remembered as stopped, so that its late audio is refused.
   */
  stop(id = null) {
    const from = id === null ? 0 : this.#queue.indexOf(id);
    if (id !== null && from < 0) this.#close(id);
    const stopped = from < 0 ? [] : this.#queue.splice(from);
    const dropped = stopped.reduce((sum, each) => sum + this.#close(each), 0);
    this.#forget();
    return { stopped, dropped };
  }

  /** The figures of an item; of one that never came, zeros. */
  report(id) {
    const item = this.#items.get(id) ?? { played: 0, received: 0, underruns: 0, complete: false };
    return {
      item_id: id,
      played_ms: this.#milliseconds(item.played),
      received_ms: this.#milliseconds(item.received),
      underruns: item.underruns,
      complete: item.complete,
    };
  }

  #milliseconds(samples) {
    return Math.round((samples * 1000) / this.#rate);
  }

  #open(id) {
    if (!this.#items.has(id)) {
      this.#items.set(id, { received: 0, played: 0, underruns: 0, complete: false, stopped: false });
      this.#queue.push(id);
    }
    return this.#items.get(id);
  }

  #close(id) {
    const item = this.#items.get(id) ?? { received: 0, played: 0, underruns: 0, complete: false };
    this.#items.set(id, { ...item, stopped: true });
    return item.received - item.played;
  }

  #settle() {
    const over = [];
    while (this.#queue.length > 0 && this.#isPlayed(this.#queue[0])) over.push(this.#queue.shift());
    this.#forget();
    return over;
  }

  #isPlayed(id) {
    const item = this.#items.get(id);
    return item.complete && item.played === item.received;
  }

  #forget() {
    for (const id of this.#items.keys()) {
      if (this.#items.size <= REMEMBERED + this.#queue.length) return;
      if (!this.#queue.includes(id)) this.#items.delete(id);
    }
  }
}
