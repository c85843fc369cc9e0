/**
 * `VoiceClient`: a visitor's conversations, one after the other, without any DOM. It tells its listeners whenever the
 * snapshot (state.js) has changed.
 *
 *     const client = new VoiceClient({ csrfToken });
 *     const unsubscribe = client.subscribe(() => show(client.getSnapshot()));
 *     client.on("turn", ({ question, answer }) => keep(question, answer));
 *     button.onclick = () => client.start();
 */

import { Conversation } from "./conversation.js";
import { PARTS } from "./parts.js";
import { MAX_TEXT } from "./protocol.js";
import { Store } from "./store.js";

/** Where a Django site has its doors, and the worklets that lie beside this module. */
const DEFAULTS = Object.freeze({
  ticketUrl: "/v1/voice/ticket",
  socketUrl: "/v1/ws/voice",
  captureWorklet: new URL("./worklets/capture.js", import.meta.url).href,
  playbackWorklet: new URL("./worklets/playback.js", import.meta.url).href,
});

export class VoiceClient {
  #options;
  #parts;
  #store = new Store();
  #conversation = null; // the one that goes on

  /**
   * @param {object} options
   *   `csrfToken` (a text, or what returns it), and optionally `ticketUrl`, `socketUrl`, `captureWorklet`,
   *   `playbackWorklet` (URLs of this site), `language` (a tag), `page` (`{url, title, text}`), `pushToTalk`, `notice`
   *   (version of the consent notice that was shown) and `warm` (the server is dialled while the visitor is asked for
   *   their microphone; the site must want it, by `VOICE["WARM_UPSTREAM"]`).
   */
  constructor(options = {}, parts = PARTS) {
    this.#options = { ...DEFAULTS, ...options };
    this.#parts = parts;
  }

  /** Calls `listener` after each change; returns what ends that. Bound to this client, like `getSnapshot`. */
  subscribe = (listener) => this.#store.subscribe(listener);

  /** The conversation now. The same object until something changes. */
  getSnapshot = () => this.#store.snapshot;

  /**
   * Calls `listener(detail)` at each event of that name; returns what ends that. "ready": `{sessionId, provider}`;
   * "turn": `{turn, outcome, question, answer, sources}`, where `answer` is what was heard; "ended": `{reason, retryAt}`.
   */
  on(name, listener) {
    return this.#store.on(name, listener);
  }

  /** Further options, from the next conversation on: `page` in an application that changes it without loading. */
  configure(options) {
    this.#options = { ...this.#options, ...options };
  }

  /** Loudness of the visitor's own voice, from 0 to 1. */
  get level() {
    return this.#conversation?.level ?? 0;
  }

  /** What plays the answers (`analyser`, `level`), or null outside of a conversation. */
  get speaker() {
    return this.#conversation?.speaker ?? null;
  }

  /**
   * Begins a conversation. Call it within the visitor's press. With `microphone: false` it is a typed one; the
   * microphone can join later, by `mute(false)`. Without the microphone that was asked for nothing begins, unless
   * something was typed meanwhile; nor before the time that a refusal has named.
   */
  async start({ microphone = true } = {}) {
    if (this.#conversation || this.#mustWait()) return;
    const conversation = this.#begin();
    await (microphone ? conversation.speak() : conversation.write());
  }

  /**
   * Goes on with the conversation of a page that was left a moment ago, without any press: in writing, for the
   * microphone joins by `mute(false)`. Nothing happens if that conversation is over.
   */
  takeUp(sessionId) {
    if (this.#conversation || this.#mustWait()) return;
    this.#begin(sessionId).goOn();
  }

  /** Ends the conversation, or what is just becoming one. */
  stop() {
    this.#conversation?.stop();
  }

  /** The microphone off or on. Turning it on in a typed conversation opens it; then call it within a press. */
  async mute(muted) {
    await this.#conversation?.mute(muted);
  }

  /** Push-to-talk: the visitor presses the button, `true`, or lets it go. The answer falls silent at once. */
  async hold(held) {
    await this.#conversation?.hold(held);
  }

  /** Gives the sound back that the system took away (`paused`). Call it within a press. */
  async resume() {
    await this.#conversation?.resume();
  }

  /** A typed question. Begins a conversation if there is none; then call it within a press. False: it was not taken. */
  sendText(text) {
    const question = text.trim().slice(0, MAX_TEXT);
    if (!question || this.#mustWait()) return false;
    (this.#conversation ?? this.#begin()).ask(question);
    return true;
  }

  /** Silences the answer; the conversation goes on. */
  interrupt() {
    this.#conversation?.interrupt();
  }

  #begin(past = null) {
    const over = (ending) => this.#over(ending);
    this.#conversation = new Conversation(this.#options, this.#parts, this.#store, over, past);
    this.#conversation.begin();
    return this.#conversation;
  }

  #over(ending) {
    this.#conversation = null;
    if (ending === null) return this.#store.apply({ type: "client.welcome" });
    const { reason, retryAfterMs = null } = ending;
    const retryAt = retryAfterMs === null ? null : this.#parts.clock() + retryAfterMs;
    this.#store.apply({ type: "client.closed", reason, retryAt });
    this.#store.tell("ended", { reason, retryAt });
    if (retryAt !== null) this.#welcomeAt(retryAt);
  }

  /** Whether a refusal has named a time that has not come. */
  #mustWait() {
    const { retryAt } = this.#store.snapshot;
    return retryAt !== null && this.#parts.clock() < retryAt;
  }

  /** When the time has come, nothing is left of the refusal. */
  async #welcomeAt(retryAt) {
    for (let left; (left = retryAt - this.#parts.clock()) > 0;) await this.#parts.wait(left);
    if (this.#store.snapshot.retryAt === retryAt) this.#store.apply({ type: "client.welcome" });
  }
}
