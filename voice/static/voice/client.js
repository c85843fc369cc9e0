/**
 * `VoiceClient`: one visitor's conversation, without any DOM. It joins the microphone, the speaker and the socket, and
 * tells its listeners whenever the snapshot (state.js) has changed.
 *
 *     const client = new VoiceClient({ticketUrl, socketUrl, csrfToken, captureWorklet, playbackWorklet});
 *     const unsubscribe = client.subscribe(() => show(client.getSnapshot()));
 *     button.onclick = () => client.start();
 */

import { Microphone } from "./microphone.js";
import { MAX_PAGE_TEXT, MAX_TEXT } from "./protocol.js";
import { ReconnectPolicy } from "./reconnect.js";
import { Connection } from "./socket.js";
import { Speaker } from "./speaker.js";
import { INITIAL, isLive, reduce } from "./state.js";
import { whenVisible } from "./visibility.js";

const MAX_WAITING = 4; // typed questions that wait for the socket; older ones give way

/** What the client is made of. A test brings its own. */
export const PARTS = Object.freeze({
  connection: (options, events) => new Connection(options, events),
  microphone: (options) => new Microphone(options),
  speaker: (options) => new Speaker(options),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  whenVisible,
  now: () => performance.now(),
  random: Math.random,
});

export class VoiceClient {
  #options;
  #parts;
  #snapshot = INITIAL;
  #listeners = new Set();
  #policy;
  #connection = null;
  #microphone = null;
  #speaker = null;
  #item = null; // the answer's item that binary frames belong to
  #waiting = []; // typed questions, until the socket is open
  #life = null; // of the conversation that goes on: whoever awaited something compares it

  /**
   * @param {object} options
   *   `ticketUrl`, `socketUrl`, `csrfToken`, `captureWorklet`, `playbackWorklet` (URLs of this site), and optionally
   *   `language` (a tag), `page` (`{url, title, text}`) and `notice` (version of the consent notice that was shown).
   */
  constructor(options, parts = PARTS) {
    this.#options = options;
    this.#parts = parts;
  }

  /** Calls `listener` after each change; returns what ends that. */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The conversation now. The same object until something changes. */
  getSnapshot() {
    return this.#snapshot;
  }

  /** Loudness of the visitor's own voice, from 0 to 1. */
  get level() {
    return this.#microphone?.level ?? 0;
  }

  /** What plays the answers (`analyser`, `level`), or null outside of a conversation. */
  get speaker() {
    return this.#speaker;
  }

  /**
   * Begins a conversation. Call it within the visitor's press. With `microphone: false` it is a typed one; the
   * microphone can join later, by `mute(false)`. Without the microphone that was asked for nothing begins.
   */
  async start({ microphone = true } = {}) {
    if (isLive(this.#snapshot)) return;
    const life = (this.#life = {});
    this.#policy = new ReconnectPolicy(this.#parts.random);
    this.#apply({ type: "client.starting" });
    const speaker = this.#openSpeaker();
    if (microphone) await this.#openMicrophone();
    await speaker;
    if (this.#life !== life) return;
    if (isLive(this.#snapshot)) this.#dial();
    else this.#release();
  }

  /** Ends the conversation, or what is just becoming one. */
  stop() {
    if (!isLive(this.#snapshot)) return;
    this.#connection?.end();
    this.#finish({ reason: "client_hangup" });
  }

  /** The microphone off or on. Turning it on in a typed conversation opens it; then call it within a press. */
  async mute(muted) {
    if (!isLive(this.#snapshot)) return;
    if (!muted && !this.#microphone && !(await this.#openMicrophone())) return;
    this.#microphone?.mute(muted);
    this.#connection?.send("mute", { muted });
    this.#apply({ type: "client.muted", muted });
  }

  /** A typed question. Begins a conversation if there is none; then call it within a press. */
  sendText(text) {
    const question = text.trim().slice(0, MAX_TEXT);
    if (!question) return;
    this.#speaker?.stop();
    this.#apply({ type: "client.asked", text: question });
    if (this.#connection?.send("input_text", { text: question })) return;
    this.#waiting = [...this.#waiting, question].slice(-MAX_WAITING);
    this.start({ microphone: false });
  }

  /** Silences the answer; the conversation goes on. */
  interrupt() {
    if (!this.#connection?.send("interrupt")) return;
    this.#speaker?.stop();
    this.#apply({ type: "client.interrupted" });
  }

  async #openSpeaker() {
    const speaker = this.#parts.speaker({
      worklet: this.#options.playbackWorklet,
      onReport: (report) => this.#report(report),
    });
    this.#speaker = speaker;
    try {
      await speaker.open();
    } catch {
      if (this.#speaker !== speaker) return;
      this.#speaker = null;
      this.#apply({ type: "client.notice", code: "voice_unavailable" });
    }
  }

  /** Opens the microphone; false if it cannot be had, or the conversation ended while the visitor was being asked. */
  async #openMicrophone() {
    const life = this.#life;
    const microphone = this.#parts.microphone({
      worklet: this.#options.captureWorklet,
      onFrame: (pcm) => this.#connection?.sendAudio(pcm),
      onLost: () => this.#closeMicrophone("lost"),
    });
    this.#apply({ type: "client.microphone", status: "asking" });
    const status = await microphone.open().then(() => "on", (error) => error.status ?? "busy");
    if (this.#life !== life) {
      microphone.close();
      return false;
    }
    if (status === "on") this.#microphone = microphone;
    this.#apply({ type: "client.microphone", status });
    return status === "on";
  }

  #closeMicrophone(status) {
    if (!this.#microphone) return;
    this.#microphone.close();
    this.#microphone = null;
    this.#apply({ type: "client.microphone", status });
  }

  #dial() {
    const connection = this.#parts.connection(this.#options, {
      onOpen: () => this.#greet(),
      onMessage: (message) => this.#receive(message),
      onAudio: (pcm) => this.#play(pcm),
      onClose: (ending) => this.#lost(ending),
    });
    this.#item = null;
    this.#connection = connection;
    connection.open();
  }

  /** `start` goes first, so that it comes before any audio; then what the visitor typed meanwhile. */
  #greet() {
    const { language, page, notice } = this.#options;
    const fields = { language, page: page && { ...page, text: (page.text ?? "").slice(0, MAX_PAGE_TEXT) }, notice };
    this.#connection.send("start", withoutHoles(fields));
    if (this.#snapshot.muted) this.#connection.send("mute", { muted: true });
    for (const text of this.#waiting.splice(0)) this.#connection.send("input_text", { text });
  }

  #receive(message) {
    this.#react(message);
    this.#apply(message);
  }

  #react(message) {
    switch (message.type) {
      case "session.ready": return this.#policy.ready(this.#parts.now());
      case "speech.started": return this.#speaker?.stop();
      case "playback.stop": return this.#speaker?.stop(message.item_id);
      case "audio.item": this.#item = message.item_id; return;
      case "audio.done": return this.#speaker?.finish(message.item_id);
      case "notice": return message.code === "speech_unavailable" && this.#closeMicrophone("off");
      case "session.expiring": return message.why === "auth" && this.#connection.refresh();
    }
  }

  #play(pcm) {
    if (this.#item !== null) this.#speaker?.push(this.#item, pcm);
  }

  #report(report) {
    const { item_id, played_ms, underruns } = report;
    this.#connection?.send("playback", { item_id, played_ms, underruns });
    this.#apply({ type: "client.played", report });
  }

  async #lost(ending) {
    const life = this.#life;
    this.#connection = null;
    this.#speaker?.stop();
    const delay = this.#policy.lost({ ...ending, now: this.#parts.now() });
    if (delay === null) return this.#finish(ending);
    this.#apply({ type: "client.reconnecting" });
    await this.#parts.wait(delay);
    await this.#parts.whenVisible();
    if (this.#life === life) this.#dial();
  }

  #finish({ reason, retryAfterMs = null }) {
    this.#release();
    this.#apply({ type: "client.closed", reason, retryAfterMs });
  }

  #release() {
    this.#life = null;
    this.#waiting = [];
    this.#microphone?.close();
    this.#speaker?.close();
    this.#connection = this.#microphone = this.#speaker = null;
  }

  #apply(event) {
    const next = reduce(this.#snapshot, event);
    if (next === this.#snapshot) return;
    this.#snapshot = next;
    for (const listener of this.#listeners) listener();
  }
}

function withoutHoles(fields) {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}
