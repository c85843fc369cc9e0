/**
 * One conversation, from the press that begins it to its end: it joins the sound and the line, and tells the store what
 * happens to both. What its methods do for a visitor is said in client.js.
 */

import { Holding } from "./holding.js";
import { Line } from "./line.js";
import { Opening } from "./opening.js";
import { greeting } from "./protocol.js";
import { Sound } from "./sound.js";
import { isLive } from "./state.js";
import { turnFrom } from "./turns.js";

const MAX_WAITING = 4; // typed questions that wait for the socket; older ones give way
const NO_MICROPHONE = Object.freeze({ reason: "no_microphone", retryAt: null });

export class Conversation {
  #options;
  #parts;
  #store;
  #onOver;
  #sound;
  #line;
  #opening;
  #holding;
  #unwatch = () => {};
  #questions = []; // typed ones, until the socket is open
  #told; // lines of turns that are over

  /**
   * @param {object} options those of `VoiceClient`, whole
   * @param {object} parts those of parts.js
   * @param {Store} store
   * @param {(ending: ?{reason: string, retryAfterMs: ?number}) => void} onOver called once, at the end; with null where
   *   nobody needs to be told of it, because nothing had begun
   * @param {?string} past the session to go on with
   */
  constructor(options, parts, store, onOver, past = null) {
    this.#options = options;
    this.#parts = parts;
    this.#store = store;
    this.#onOver = onOver;
    this.#sound = new Sound(options, parts, this.#soundEvents());
    this.#line = new Line(options, parts, this.#lineEvents(), past);
    this.#opening = new Opening(this.#sound, this.#line);
    this.#holding = new Holding(store, this.#sound, this.#line, parts.wait);
    this.#told = store.snapshot.lines.length;
  }

  get level() {
    return this.#sound.microphone?.level ?? 0;
  }

  get speaker() {
    return this.#sound.speaker;
  }

  /** First of all; how is then said by `speak`, `write`, `goOn` or `ask`. */
  begin() {
    this.#unwatch = this.#parts.watch(this.#surroundings());
    this.#starting();
  }

  async speak() {
    if (!(await this.#opening.speak(this.#options))) this.#giveUp();
  }

  async write() {
    await this.#opening.write();
  }

  goOn() {
    this.#opening.goOn();
  }

  /** It waits for the speaker, or its answer would not be heard. */
  async ask(question) {
    this.#opening.suffice();
    this.#sound.stop();
    this.#apply({ type: "client.asked", text: question });
    await this.#opening.openSpeaker();
    this.#questions = [...this.#questions, question].slice(-MAX_WAITING);
    this.#askWaiting();
    await this.#opening.write();
  }

  async mute(muted) {
    if (!muted) this.#opening.openSpeaker();
    if (!muted && !this.#sound.microphone && !(await this.#sound.openMicrophone())) return;
    this.#apply({ type: "client.muted", muted });
    this.#obeyMute();
  }

  async hold(held) {
    await this.#holding.hold(held);
  }

  async resume() {
    await this.#sound.resume();
  }

  interrupt() {
    if (!this.#line.send("interrupt")) return;
    this.#sound.stop();
    this.#apply({ type: "client.interrupted" });
  }

  stop() {
    this.#line.end();
    this.#end({ reason: "client_hangup" });
  }

  #starting() {
    this.#apply({ type: "client.starting", pushToTalk: Boolean(this.#options.pushToTalk) });
  }

  #askWaiting() {
    while (this.#questions.length > 0 && this.#line.send("input_text", { text: this.#questions[0] })) this.#questions.shift();
  }

  /** The microphone is off because the visitor wants it so, or because they are not looking. */
  #obeyMute() {
    const { muted, away, held } = this.#store.snapshot;
    this.#sound.mute(muted || away || held === false);
    this.#line.send("mute", { muted: muted || away });
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

  #hear(pcm) {
    this.#holding.heard();
    this.#line.sendAudio(pcm);
  }

  #tellMicrophone(status) {
    this.#apply({ type: "client.microphone", status });
    if (status !== "on") return;
    this.#opening.suffice();
    this.#obeyMute();
  }

  #report(report) {
    const { item_id, played_ms, underruns } = report;
    this.#line.send("playback", { item_id, played_ms, underruns });
    this.#apply({ type: "client.played", report });
  }

  #lineEvents() {
    return {
      onOpen: (resume) => this.#greet(resume),
      onMessage: (message) => this.#receive(message),
      onAudio: (pcm) => this.#sound.play(pcm),
      onSlow: (slow) => this.#apply({ type: "client.slow", slow }),
      onLost: () => this.#lost(),
      onEnd: (ending) => this.#ended(ending),
    };
  }

  /** `start` goes first, so that it comes before any audio; then what the visitor typed meanwhile. */
  #greet(resume) {
    const { isWaiting } = this.#opening;
    const { muted, away } = this.#store.snapshot;
    this.#line.send("start", greeting(this.#options, resume, isWaiting));
    if (!isWaiting && (muted || away)) this.#line.send("mute", { muted: true });
    this.#askWaiting();
  }

  #receive(message) {
    this.#react(message);
    this.#apply(message);
    if (message.type === "turn.done") this.#tellTurn(message);
    if (message.type === "history") this.#told = this.#store.snapshot.lines.length;
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
    const { next, ...words } = turnFrom(this.#store.snapshot.lines, this.#told);
    this.#told = next;
    this.#store.tell("turn", { turn, outcome, ...words });
  }

  #lost() {
    this.#sound.expect(null);
    this.#sound.stop();
    this.#apply({ type: "client.reconnecting" });
    if (this.#store.snapshot.held === false) this.#sound.mute(true);
  }

  /** Two ends are not the last word: the server waited for the microphone in vain, or the past is gone for good. */
  #ended(ending) {
    if (ending.reason === "no_microphone") {
      this.#store.tell("ended", NO_MICROPHONE);
      this.#starting();
      this.#opening.again();
    } else if (ending.reason !== "gone") this.#end(ending);
    else if (!this.#opening.again()) this.#end(null);
  }

  /** The microphone that was asked for cannot be had. */
  #giveUp() {
    const { snapshot } = this.#store;
    const began = isLive(snapshot) && snapshot.phase !== "connecting";
    this.#line.end();
    this.#end(null);
    if (began) this.#store.tell("ended", NO_MICROPHONE);
  }

  #end(ending) {
    this.#opening.cancel();
    this.#unwatch();
    this.#sound.close();
    this.#onOver(ending);
  }

  #surroundings() {
    return {
      onHidden: (hidden) => this.#look(hidden),
      onOffline: (offline) => this.#network(offline),
      onLeave: () => this.#leave(),
    };
  }

  /** Nobody is listened to by a page that they do not see. The answer goes on: its source may be what they look at. */
  #look(hidden) {
    const { away, muted, held } = this.#store.snapshot;
    if (hidden === away || (hidden && (!this.#sound.microphone || muted))) return;
    if (held !== null) return void this.hold(false);
    this.#apply({ type: "client.away", away: hidden });
    this.#obeyMute();
  }

  #network(offline) {
    this.#apply({ type: "client.network", offline });
    if (offline) this.#line.abandon();
  }

  /** The page that comes next may go on. The browser itself closes what is open here. */
  #leave() {
    const { sessionId } = this.#line;
    if (sessionId === null) return this.stop();
    this.#parts.remember(sessionId);
    this.#line.leave();
    this.#end({ reason: "client_away" });
  }

  #apply(event) {
    this.#store.apply(event);
  }
}
