/**
 * `<voice-widget>`: the conversation in a page, as one element. `{% voice_widget %}` writes it with all it needs: URLs in
 * data attributes, words in a `<template>`. Nothing but its looks is loaded before the visitor turns to it.
 *
 * `element.client` is the `VoiceClient` under it (null until the first press).
 */

import { consent, hasConsented } from "./consent.js";
import { element } from "./dom.js";
import { INITIAL, isAnswering, isLive, reduce } from "./state.js";
import { isHearing } from "./status.js";
import { View } from "./view.js";
import { readWords } from "./words.js";

const UNLOADED = reduce(INITIAL, { type: "client.closed", reason: "unloaded" });
const LOUD = 0.15; // RMS of a voice close to the microphone: the meter's full scale

class VoiceWidget extends HTMLElement {
  #view = null;
  #client = null;
  #loading = null;
  #unloaded = false; // the client was wanted, and did not come
  #open = false;
  #wanted = null; // what the visitor wanted to do when the consent notice stopped them
  #frame = 0;

  get client() {
    return this.#client;
  }

  connectedCallback() {
    if (this.#view) return;
    const floating = this.getAttribute("position") !== "inline";
    this.#open = !floating;
    this.#view = new View(readWords(this), this.#actions(), { floating });
    this.#show(this.attachShadow({ mode: "open" }));
    this.#render();
    for (const interest of ["pointerenter", "focusin"]) this.addEventListener(interest, () => this.#preload(), { once: true });
    this.addEventListener("keydown", (event) => this.#key(event));
  }

  disconnectedCallback() {
    this.#client?.stop();
  }

  /** Unstyled for a moment is worse than absent for a moment; unstyled for ever is better than absent for ever. */
  #show(root) {
    const styles = element("link", { rel: "stylesheet", href: this.dataset.stylesheet });
    const show = () => root.append(...this.#view.elements);
    styles.addEventListener("load", show, { once: true });
    styles.addEventListener("error", show, { once: true });
    root.append(styles);
  }

  #actions() {
    return {
      toggle: () => this.#toggle(),
      press: () => this.#press(),
      mute: () => this.#mute(),
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
    if (isLive(this.#snapshot)) this.#stop();
    else this.#whenAgreed((client) => client.start());
  }

  #stop() {
    if (isAnswering(this.#snapshot)) this.#client.interrupt();
    else this.#client.stop();
  }

  #mute() {
    const { microphone, muted } = this.#snapshot;
    this.#client.mute(microphone === "on" && !muted);
  }

  #ask(text) {
    this.#whenAgreed((client) => {
      client.sendText(text);
      this.#view.clearQuestion();
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
    }
    return this.#client;
  }

  #options() {
    const { ticketUrl, socketUrl, csrfToken, captureWorklet, playbackWorklet, noticeVersion } = this.dataset;
    const { pageUrl, pageTitle, pageText = "" } = this.dataset;
    const page = { url: pageUrl || location.pathname, title: pageTitle || document.title, text: pageText };
    const language = this.getAttribute("lang") ?? undefined;
    const notice = noticeVersion || undefined;
    return { ticketUrl, socketUrl, csrfToken, captureWorklet, playbackWorklet, language, page, notice };
  }

  get #snapshot() {
    return this.#client?.getSnapshot() ?? (this.#unloaded ? UNLOADED : INITIAL);
  }

  #render() {
    const snapshot = this.#snapshot;
    this.#view.render(snapshot, { open: this.#open, consenting: this.#wanted !== null });
    if (isHearing(snapshot) && !this.#frame) this.#meter();
  }

  #meter() {
    const hearing = isHearing(this.#snapshot);
    this.#view.showLevel(hearing ? Math.min(1, this.#client.level / LOUD) : 0);
    this.#frame = hearing ? requestAnimationFrame(() => this.#meter()) : 0;
  }
}

customElements.define("voice-widget", VoiceWidget);
