/**
 * `<voice-widget>`: the conversation in a page, as one element. `{% voice_widget %}` writes it with all it needs: URLs in
 * data attributes, words in a `<template>`. Nothing but its looks is loaded before the visitor's first press.
 *
 * `element.client` is the `VoiceClient` under it (null until then), `element.context` what the assistant is told of the
 * page. It dispatches `voice:ready`, `voice:turn`, `voice:ended` and `voice:state`; see voice/docs/widget.md.
 */

import { accentsOf } from "./accent.js";
import { consent, hasConsented } from "./consent.js";
import { element } from "./dom.js";
import { INITIAL, isAnswering, isLive, reduce } from "./state.js";
import { recall } from "./interrupted.js";
import { isHearing, secondsLeft } from "./status.js";
import { View } from "./view.js";
import { readWords } from "./words.js";

const UNLOADED = reduce(INITIAL, { type: "client.closed", reason: "unloaded" });
const EVENTS = ["ready", "turn", "ended"];
const LOUD = 0.15; // RMS of a voice close to the microphone: the meter's full scale

class VoiceWidget extends HTMLElement {
  #view = null;
  #client = null;
  #loading = null;
  #unloaded = false; // the client was wanted, and did not come
  #open = false;
  #wanted = null; // what the visitor wanted to do when the consent notice stopped them
  #frame = 0;
  #second = 0; // the timer that counts the time left
  #phase = INITIAL.phase;
  #context = null;

  get client() {
    return this.#client;
  }

  /** `{url, title, text}` of the page, from the next conversation on; by default what the attributes and the page say. */
  get context() {
    const { context = "", contextTitle, contextUrl } = this.dataset;
    const page = { url: contextUrl || location.pathname, title: contextTitle || document.title, text: context };
    return { ...page, ...this.#context };
  }

  set context(context) {
    this.#context = context;
  }

  connectedCallback() {
    if (this.#view) return;
    const floating = this.getAttribute("position") !== "inline";
    this.#open = !floating;
    this.#view = new View(readWords(this), this.#actions(), { floating });
    this.#colour();
    this.#show(this.attachShadow({ mode: "open" }));
    this.#render();
    this.#takeUp();
    for (const press of ["pointerdown", "keydown"]) this.addEventListener(press, () => this.#preload(), { once: true });
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  /** The page before this one, or this one before it was loaded anew, was left in the middle of a conversation. */
  #takeUp() {
    const sessionId = recall();
    if (sessionId === null || !this.#hasAgreed()) return;
    this.#open = true;
    this.#render();
    this.#withClient((client) => client.takeUp(sessionId));
  }

  disconnectedCallback() {
    this.#client?.stop();
  }

  #colour() {
    const accents = accentsOf(this.getAttribute("accent"));
    if (!accents) return;
    this.style.setProperty("--voice-accent", accents.accent);
    this.style.setProperty("--voice-on-accent", accents.onAccent);
    this.style.setProperty("--voice-accent-dark", accents.accentDark);
    this.style.setProperty("--voice-on-accent-dark", accents.onAccentDark);
  }

  /** Unstyled for a moment is worse than absent for a moment; unstyled for ever is better than absent for ever. */
  #show(root) {
    const styles = element("link", { rel: "stylesheet", href: this.dataset.stylesheet, nonce: this.nonce || undefined });
    const show = () => root.append(...this.#view.elements);
    styles.addEventListener("load", show, { once: true });
    styles.addEventListener("error", show, { once: true });
    root.append(styles);
  }

  #actions() {
    return {
      toggle: () => this.#toggle(),
      press: () => this.#press(),
      hold: (held) => this.#client.hold(held),
      second: () => this.#pressSecond(),
      ask: (text) => this.#ask(text),
      agree: () => this.#agree(),
      decline: () => this.#decline(),
    };
  }

  #toggle() {
    this.#open = !this.#open;
    if (!this.#open) this.#leave();
    this.#render();
    this.#preload();
  }

  /** A closed panel never listens. */
  #leave() {
    this.#wanted = null;
    this.#client?.stop();
  }

  #press() {
    const snapshot = this.#snapshot;
    if (isLive(snapshot) && snapshot.paused) this.#client.resume();
    else if (isLive(snapshot)) this.#stop();
    else this.#whenAgreed((client) => client.start());
  }

  #stop() {
    if (isAnswering(this.#snapshot)) this.#client.interrupt();
    else this.#client.stop();
  }

  /** Where the main button is for talking, the other one ends. */
  #pressSecond() {
    const { microphone, muted, held } = this.#snapshot;
    if (held !== null && microphone === "on") this.#client.stop();
    else this.#client.mute(microphone === "on" && !muted);
  }

  #ask(text) {
    this.#whenAgreed((client) => {
      if (client.sendText(text)) this.#view.clearQuestion();
    });
  }

  #agree() {
    const wanted = this.#wanted;
    this.#wanted = null;
    consent(this.dataset.noticeVersion);
    this.#render();
    this.#view.focusMain();
    if (wanted) this.#whenAgreed(wanted);
  }

  #decline() {
    this.#wanted = null;
    this.#render();
    this.#view.focusMain();
  }

  #hasAgreed() {
    return hasConsented(this.dataset.noticeVersion);
  }

  async #whenAgreed(action) {
    if (this.#hasAgreed()) return this.#withClient(action);
    this.#wanted = action;
    this.#render();
    this.#view.focusConsent();
  }

  async #withClient(action) {
    const client = await this.#load().catch(() => null);
    this.#unloaded = client === null;
    if (client) action(client);
    else this.#render();
  }

  #key(event) {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    if (this.#wanted) this.#decline();
    else if (isLive(this.#snapshot)) this.#stop();
    else if (this.#open && this.getAttribute("position") !== "inline") this.#closeByKey();
  }

  #closeByKey() {
    this.#toggle();
    this.#view.focusLauncher();
  }

  /** So that the next press finds the client there: some browsers forget a press that had to wait. */
  #preload() {
    this.#load().catch(() => {}); // a network that fails now is asked again at the press
  }

  async #load() {
    this.#loading ??= import("./client.js").catch((error) => {
      this.#loading = null;
      throw error;
    });
    const { VoiceClient } = await this.#loading;
    if (!this.#client) {
      this.#client = new VoiceClient(this.#options());
      this.#client.subscribe(() => this.#render());
      for (const name of EVENTS) this.#client.on(name, (detail) => this.#dispatch(name, detail));
    }
    if (!isLive(this.#snapshot)) this.#client.configure({ page: this.context });
    return this.#client;
  }

  #options() {
    const { ticketUrl, socketUrl, csrfToken, captureWorklet, playbackWorklet, noticeVersion } = this.dataset;
    const language = this.getAttribute("lang") ?? undefined;
    const notice = noticeVersion || undefined;
    const [pushToTalk, warm] = ["push-to-talk", "warm"].map((name) => this.hasAttribute(name));
    return { ticketUrl, socketUrl, csrfToken, captureWorklet, playbackWorklet, language, notice, pushToTalk, warm };
  }

  #dispatch(name, detail) {
    this.dispatchEvent(new CustomEvent(`voice:${name}`, { detail, bubbles: true, composed: true }));
  }

  get #snapshot() {
    return this.#client?.getSnapshot() ?? (this.#unloaded ? UNLOADED : INITIAL);
  }

  #render() {
    const snapshot = this.#snapshot;
    this.#view.render(snapshot, { open: this.#open, consenting: this.#wanted !== null });
    if (isHearing(snapshot) && !this.#frame) this.#meter();
    this.#countDown();
    if (snapshot.phase === this.#phase) return;
    this.#phase = snapshot.phase;
    this.#dispatch("state", { phase: snapshot.phase });
  }

  #countDown() {
    const left = secondsLeft(this.#snapshot, Date.now());
    this.#view.showTime(left);
    clearTimeout(this.#second);
    if (this.#snapshot.endsAt !== null) this.#second = setTimeout(() => this.#countDown(), 1_000);
  }

  #meter() {
    const hearing = isHearing(this.#snapshot);
    this.#view.showLevel(hearing ? Math.min(1, this.#client.level / LOUD) : 0);
    this.#frame = hearing ? requestAnimationFrame(() => this.#meter()) : 0;
  }
}

customElements.define("voice-widget", VoiceWidget);
