/**
 * The player without its loudspeaker: frames of items go in, blocks of samples and reports come out.
 *
 * It waits for the pre-roll, plays, and waits again when it runs dry. Going silent is always a fade of the last sample
 * that was heard, over 5 ms; so a stop needs nothing of what it drops, and what was counted is what was played.
 */

import { PlaybackLedger } from "./ledger.js";
import { PreRoll } from "./preroll.js";
import { RingBuffer } from "./ring.js";

const CAPACITY_SECONDS = 30; // the server sends at most 20 s ahead of what we report as played
const REPORT_MS = 250;
const FADE_MS = 5;

export class Playout {
  #ledger;
  #preRoll;
  #ring;
  #fade;
  #reportEvery;
  #flowing = false;
  #gain = 0;
  #last = 0;
  #sinceReport = 0;
  #reports = [];

  /** @param {number} rate samples per second, of what goes in and of what comes out */
  constructor(rate) {
    this.#ledger = new PlaybackLedger(rate);
    this.#preRoll = new PreRoll(rate);
    this.#ring = new RingBuffer(CAPACITY_SECONDS * rate);
    this.#fade = Math.round((FADE_MS * rate) / 1000);
    this.#reportEvery = (REPORT_MS * rate) / 1000;
  }

  /** The next samples (Int16Array) of an item. What a full buffer cannot take is lost: it was never received. */
  push(id, pcm) {
    if (this.#ledger.accepts(id)) this.#reportOver(this.#ledger.receive(id, this.#ring.write(pcm)));
  }

  /** No more of this item will come. */
  finish(id) {
    this.#reportOver(this.#ledger.finish(id));
  }

  /**
   * Silence now: drops what is not played of `id` and of all later items (null: of everything). Reports each of them,
   * and `id` in any case, because the server waits for its figure.
   */
  stop(id = null) {
    const playing = this.#ledger.current;
    const { stopped, dropped } = this.#ledger.stop(id);
    this.#ring.dropNewest(dropped);
    if (stopped.includes(playing)) this.#fallSilent();
    if (id !== null && !stopped.includes(id)) stopped.push(id);
    this.#reportOver(stopped);
  }

  /** Fills `out` with what is to be heard next. */
  render(out) {
    if (!this.#flowing && this.#mayStart()) this.#flowing = true;
    const count = this.#flowing ? this.#ring.read(out) : 0;
    this.#fadeIn(out, count);
    this.#fadeOut(out, count);
    if (count > 0) this.#account(count);
    if (this.#flowing && count < out.length) this.#runDry();
  }

  /** The reports since the last call: `{item_id, played_ms, received_ms, underruns, complete, over}`. */
  takeReports() {
    return this.#reports.splice(0);
  }

  #mayStart() {
    if (this.#ring.length === 0) return false;
    return this.#ring.length >= this.#preRoll.samples || this.#ledger.complete;
  }

  #account(count) {
    const over = this.#ledger.play(count);
    this.#preRoll.played(count);
    this.#reportOver(over);
    this.#sinceReport += count;
    if (this.#sinceReport >= this.#reportEvery && this.#ledger.current !== null) this.#report(this.#ledger.current, false);
  }

  #runDry() {
    this.#fallSilent();
    if (this.#ledger.current === null) return;
    this.#ledger.underrun();
    this.#preRoll.underrun();
  }

  #fallSilent() {
    this.#flowing = false;
    this.#gain = 0;
  }

  #fadeIn(out, count) {
    for (let i = 0; i < count && this.#gain < 1; i++) {
      this.#gain = Math.min(1, this.#gain + 1 / this.#fade);
      out[i] *= this.#gain;
    }
    if (count > 0) this.#last = out[count - 1];
  }

  #fadeOut(out, from) {
    const step = 1 - 5 / this.#fade; // e⁻⁵ after the fade's length
    for (let i = from; i < out.length; i++) {
      this.#last = Math.abs(this.#last) < 1e-5 ? 0 : this.#last * step;
      out[i] = this.#last;
    }
  }

  #reportOver(ids) {
    for (const id of ids) this.#report(id, true);
  }

  #report(id, over) {
    this.#reports.push({ ...this.#ledger.report(id), over });
    this.#sinceReport = 0;
  }
}
