/**
 * `VoiceClient`: one visitor's conversation, without any DOM. It joins the sound and the line, and tells its listeners
 * whenever the snapshot (state.js) has changed.
 *
 *     const client = new VoiceClient({ csrfToken });
 *     const unsubscribe = client.subscribe(() => show(client.getSnapshot()));
 *     client.on("turn", ({ question, answer }) => keep(question, answer));
 *     button.onclick = () => client.start();
 */

import { Holding } from "./holding.js";
import { Line } from "./line.js";
import { PARTS } from "./parts.js";
import { MAX_TEXT, greeting } from "./protocol.js";
import { Sound } from "./sound.js";
import { isLive } from "./state.js";
import { Store } from "./store.js";
import { turnFrom } from "./turns.js";

const MAX_WAITING = 4; // typed questions that wait for the socket; older ones give way

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
  #line = null; // of the conversation that goes on: whoever awaited something compares it
  #sound = null; // of the same one, like its holding
  #holding = null;
  #early = false; // the line is there before the microphone, and nothing was typed
  #waiting = []; // typed questions, until the socket is open
  #unwatch = () => {};
  #told = 0; // lines of turns that are over
  #soundDue = false; // the speaker waits for a press, as browsers want it

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
    return this.#sound?.microphone?.level ?? 0;
  }

  /** What plays the answers (`analyser`, `level`), or null outside of a conversation. */
  get speaker() {
    return this.#sound?.speaker ?? null;
  }

  /**
   * Begins a conversation. Call it within the visitor's press. With `microphone: false` it is a typed one; the
   * microphone can join later, by `mute(false)`. Without the microphone that was asked for nothing begins, nor before
   * the time that a refusal has named.
   */
  async start({ microphone = true } = {}) {
    if (isLive(this.#snapshot) || this.#mustWait()) return;
    const line = this.#begun();
    const speaker = this.#sound.openSpeaker();
    const given = microphone ? this.#sound.openMicrophone() : true;
    if (microphone && this.#options.warm) this.#dialEarly();
    const refused = !(await given);
    await speaker;
    if (this.#line !== line) return;
    if (refused && (this.#early || !isLive(this.#snapshot))) this.#giveUp();
    else if (!line.isDialled) line.dial();
  }

  /**
   * Goes on with the conversation of a page that was left a moment ago, without any press: in writing, for the
   * microphone joins by `mute(false)`. Nothing happens if that conversation is over.
   */
  takeUp(sessionId) {
    if (isLive(this.#snapshot) || this.#mustWait()) return;
    const line = this.#begun(sessionId);
    this.#soundDue = true;
    line.dial();
  }

  #dialEarly() {
    this.#early = true;
    this.#line.dial();
  }

  /** The microphone that was asked for cannot be had. */
  #giveUp() {
    const began = isLive(this.#snapshot) && this.#snapshot.phase !== "connecting";
    this.#line.end();
    this.#release();
    this.#apply({ type: "client.welcome" });
    if (began) this.#store.tell("ended", { reason: "no_microphone", retryAt: null });
  }

  /** The server has waited for the microphone for long enough. It is dialled again when that is there. */
  #goCold() {
    this.#store.tell("ended", { reason: "no_microphone", retryAt: null });
    this.#apply({ type: "client.starting", pushToTalk: Boolean(this.#options.pushToTalk) });
    if (!this.#early) this.#line.dial();
    this.#early = false;
  }

  #begun(interrupted = null) {
    this.#soundDue = this.#early = false;
    this.#sound = new Sound(this.#options, this.#parts, this.#soundEvents());
    this.#line = new Line(this.#options, this.#parts, this.#lineEvents(), interrupted);
    this.#holding = new Holding(this.#store, this.#sound, this.#line, this.#parts.wait);
    this.#apply({ type: "client.starting", pushToTalk: Boolean(this.#options.pushToTalk) });
    this.#unwatch = this.#parts.watch(this.#surroundings());
    return this.#line;
  }

  /** Ends the conversation, or what is just becoming one. */
  stop() {
    if (!isLive(this.#snapshot)) return;
    this.#line?.end();
    this.#finish({ reason: "client_hangup" });
  }

  /** The microphone off or on. Turning it on in a typed conversation opens it; then call it within a press. */
  async mute(muted) {
    if (!isLive(this.#snapshot)) return;
    if (!muted && this.#soundDue) this.#openSound();
    if (!muted && !this.#sound.microphone && !(await this.#sound.openMicrophone())) return;
    this.#apply({ type: "client.muted", muted });
    this.#obeyMute();
  }

  /** Push-to-talk: the visitor presses the button, `true`, or lets it go. The answer falls silent at once. */
  async hold(held) {
    await this.#holding?.hold(held);
  }

  /** Gives the sound back that the system took away (`paused`). Call it within a press. */
  async resume() {
    await this.#sound?.resume();
  }

  /** A typed question. Begins a conversation if there is none; then call it within a press. False: it was not taken. */
  sendText(text) {
    const question = text.trim().slice(0, MAX_TEXT);
    if (!question || this.#mustWait()) return false;
    this.#sound?.stop();
    this.#apply({ type: "client.asked", text: question });
    this.#waiting = [...this.#waiting, question].slice(-MAX_WAITING);
    if (this.#soundDue) this.#openSound();
    else this.#askWaiting();
    this.start({ microphone: false });
    return true;
  }

  /** Silences the answer; the conversation goes on. */
  interrupt() {
    if (!this.#line?.send("interrupt")) return;
    this.#sound.stop();
    this.#apply({ type: "client.interrupted" });
  }

  /** What was typed while nobody could be asked, or no answer could sound. */
  #askWaiting() {
    while (this.#waiting.length > 0 && this.#line?.send("input_text", { text: this.#waiting[0] })) {
      this.#waiting.shift();
      this.#early = false;
    }
  }

  async #openSound() {
    this.#soundDue = false;
    await this.#sound.openSpeaker();
    this.#askWaiting();
  }

  #hear(pcm) {
    this.#holding.heard();
    this.#line.sendAudio(pcm);
  }

  /** The microphone is off because the visitor wants it so, or because they are not looking. */
  #obeyMute() {
    const { muted, away, held } = this.#snapshot;
    this.#sound?.mute(muted || away || held === false);
    this.#line?.send("mute", { muted: muted || away });
  }

  #surroundings() {
    return {
      onHidden: (hidden) => this.#look(hidden),
      onOffline: (offline) => {
        this.#apply({ type: "client.network", offline });
        if (offline) this.#line?.abandon();
      },
      onLeave: () => this.#leave(),
    };
  }

  /** The page that comes next may go on. The browser itself closes what is open here. */
  #leave() {
    const sessionId = this.#line?.sessionId ?? null;
    if (sessionId === null) return this.stop();
    this.#parts.remember(sessionId);
    this.#line.leave();
    this.#finish({ reason: "client_away" });
  }

  /** Nobody is listened to by a page that they do not see. The answer goes on: its source may be what they look at. */
  #look(hidden) {
    if (hidden === this.#snapshot.away) return;
    if (hidden && (!this.#sound.microphone || this.#snapshot.muted)) return;
    if (this.#snapshot.held !== null) return void this.hold(false);
    this.#apply({ type: "client.away", away: hidden });
    this.#obeyMute();
  }

  /** Whether a refusal has named a time that has not come. */
  #mustWait() {
    const { retryAt } = this.#snapshot;
    return retryAt !== null && this.#parts.clock() < retryAt;
  }

  #soundEvents() {
    return {
      onFrame: (pcm) => this.#hear(pcm),
      onMicrophone: (status) => this.#tellMicrophone(status),
      onReport: (report) => this.#report(report),
      onSpeechless: () => this.#apply({ type: "client.notice", code: "voice_unavailable" }),
      onPaused: (paused) => this.#apply({ type: "client.paused", paused }),
    };
  }

  #tellMicrophone(status) {
    this.#apply({ type: "client.microphone", status });
    if (status !== "on") return;
    this.#early = false;
    this.#obeyMute();
  }

  #lineEvents() {
    return {
      onOpen: (resume) => this.#greet(resume),
      onMessage: (message) => this.#receive(message),
      onAudio: (pcm) => this.#sound.play(pcm),
      onSlow: (slow) => this.#apply({ type: "client.slow", slow }),
      onLost: () => this.#lost(),
      onEnd: (ending) => this.#finish(ending),
    };
  }

  /** `start` goes first, so that it comes before any audio; then what the visitor typed meanwhile. */
  #greet(resume = null) {
    this.#line.send("start", greeting(this.#options, resume, this.#early));
    if (!this.#early && (this.#snapshot.muted || this.#snapshot.away)) this.#line.send("mute", { muted: true });
    if (!this.#soundDue) this.#askWaiting();
  }

  #receive(message) {
    this.#react(message);
    this.#apply(message);
    if (message.type === "turn.done") this.#tellTurn(message);
    if (message.type === "history") this.#told = this.#snapshot.lines.length;
  }

  #react(message) {
    switch (message.type) {
      case "session.ready": return this.#begin(message);
      case "speech.started": return this.#sound.stop();
      case "playback.stop": return this.#sound.stop(message.item_id);
      case "audio.item": return this.#sound.expect(message.item_id);
      case "audio.done": return this.#sound.finish(message.item_id);
      case "notice": return message.code === "speech_unavailable" && this.#sound.closeMicrophone("off");
      case "session.expiring": return message.why === "auth" ? this.#line.refresh() : this.#expire(message);
    }
  }

  #begin({ session_id: sessionId, provider, seconds }) {
    this.#apply({ type: "client.lasts", endsAt: this.#parts.clock() + seconds * 1000 });
    this.#store.tell("ready", { sessionId, provider });
  }

  #expire({ seconds, why }) {
    this.#apply({ type: "client.expiring", seconds, why, endsAt: this.#parts.clock() + seconds * 1000 });
  }

  #tellTurn({ turn, outcome }) {
    const { next, ...words } = turnFrom(this.#snapshot.lines, this.#told);
    this.#told = next;
    this.#store.tell("turn", { turn, outcome, ...words });
  }

  #report(report) {
    const { item_id, played_ms, underruns } = report;
    this.#line?.send("playback", { item_id, played_ms, underruns });
    this.#apply({ type: "client.played", report });
  }

  #lost() {
    this.#sound.expect(null);
    this.#sound.stop();
    this.#apply({ type: "client.reconnecting" });
    if (this.#snapshot.held === false) this.#sound.mute(true);
  }

  #finish({ reason, retryAfterMs = null }) {
    if (reason === "no_microphone") return this.#goCold();
    this.#release();
    if (reason === "gone") return this.#apply({ type: "client.welcome" });
    const retryAt = retryAfterMs === null ? null : this.#parts.clock() + retryAfterMs;
    this.#apply({ type: "client.closed", reason, retryAt });
    this.#told = this.#snapshot.lines.length;
    this.#store.tell("ended", { reason, retryAt });
    if (retryAt !== null) this.#welcomeAt(retryAt);
  }

  /** When the time has come, nothing is left of the refusal. */
  async #welcomeAt(retryAt) {
    for (let left; (left = retryAt - this.#parts.clock()) > 0;) await this.#parts.wait(left);
    if (this.#snapshot.retryAt === retryAt) this.#apply({ type: "client.welcome" });
  }

  #release() {
    this.#waiting = [];
    this.#unwatch();
    this.#sound?.close();
    this.#line = this.#sound = this.#holding = null;
    this.#soundDue = false;
  }

  get #snapshot() {
    return this.#store.snapshot;
  }

  #apply(event) {
    this.#store.apply(event);
  }
}
