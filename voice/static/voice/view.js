/** The widget's elements, and how they show a snapshot. It decides nothing: presses are handed to `actions`. */

import { Captions } from "./captions.js";
import { element, icon, setText } from "./dom.js";
import { closeIcon, microphoneIcon, mutedIcon, sendIcon, stopIcon, voiceIcon } from "./icons.js";
import { isAnswering, isLive } from "./state.js";
import { hints, isHearing, phaseWord } from "./status.js";
import { TalkButton } from "./talk.js";

export class View {
  #words;
  #nodes;
  #captions;
  #talk;
  #talking = false; // whether the main button is for talking, by push

  /**
   * @param {object} words see words.js
   * @param {object} actions `toggle()`, `press()` (start, or stop), `hold(held)`, `second()` (the microphone, or the
   *   end), `ask(text)`, `agree()`, `decline()`
   * @param {{floating: boolean}} layout
   */
  constructor(words, actions, { floating }) {
    this.#words = words;
    this.#captions = new Captions(words);
    this.#nodes = this.#build(actions, floating);
    this.#talk = new TalkButton(this.#nodes.main, () => this.#talking, actions.hold);
    this.elements = floating ? [this.#nodes.launcher, this.#nodes.panel] : [this.#nodes.panel];
  }

  /** `ui` is what the widget knows beside the conversation: `{open, consenting}`. */
  render(snapshot, ui) {
    this.#renderFrame(snapshot, ui);
    this.#renderStatus(snapshot);
    this.#renderControls(snapshot);
    this.#captions.render(snapshot.lines);
  }

  /** Loudness of the visitor's voice, from 0 to 1. */
  showLevel(level) {
    this.#nodes.panel.style.setProperty("--level", level.toFixed(2));
  }

  /** How many seconds are left, or null where nobody needs to know. */
  showTime(seconds) {
    const time = seconds === null ? "" : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    setText(this.#nodes.time, time && this.#words.say("left", { time }));
  }

  focusMain() {
    this.#nodes.main.focus();
  }

  focusLauncher() {
    this.#nodes.launcher.focus();
  }

  /** The notice takes the place of what was pressed, so the focus goes with it. */
  focusConsent() {
    this.#nodes.consent.focus();
  }

  /** The typed question was taken. */
  clearQuestion() {
    this.#nodes.input.value = "";
  }

  #build(actions, floating) {
    const nodes = {
      ...this.#buildControls(actions),
      ...this.#buildConsent(actions),
      status: element("p", { "role": "status", "part": "status", "class": "status" }),
      hint: element("p", { "role": "status", "part": "hint", "class": "hint" }),
      time: element("span", { role: "timer", part: "time", class: "time" }),
      intro: element("p", { class: "intro" }, this.#words.say("intro")),
      launcher: this.#button("launcher", actions.toggle),
    };
    nodes.panel = this.#buildPanel(nodes, floating);
    return nodes;
  }

  #buildPanel(nodes, floating) {
    const title = element("h2", { id: "title", part: "title" }, voiceIcon(), this.#words.say("title"));
    const meter = element("span", { "class": "meter", "aria-hidden": "true" }, ...[1, 2, 3, 4, 5].map(() => element("i")));
    return element(
      "section", { "id": "panel", "part": "panel", "class": floating ? "panel floating" : "panel", "aria-labelledby": "title" },
      element("header", {}, title, element("div", { class: "state" }, meter, nodes.status, nodes.time)),
      element("div", { class: "conversation" }, nodes.intro, this.#captions.element),
      nodes.hint, nodes.consent,
      element("div", { class: "controls" }, nodes.main, nodes.second), nodes.form,
    );
  }

  #buildControls(actions) {
    const input = element("input", {
      "type": "text", "name": "question", "maxlength": "4000", "autocomplete": "off", "enterkeyhint": "send",
      "part": "question", "placeholder": this.#words.say("question"), "aria-label": this.#words.say("question"),
    });
    const send = element("button", { type: "submit", part: "send", class: "send" }, sendIcon(), this.#labelled("send"));
    const form = element("form", { class: "ask" }, input, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (input.value.trim()) actions.ask(input.value);
    });
    return { form, input, send, main: this.#button("main", actions.press), second: this.#button("second", actions.second) };
  }

  #buildConsent(actions) {
    const agree = element("button", { type: "button", class: "agree", part: "agree" }, this.#words.say("agree"));
    const decline = element("button", { type: "button", class: "decline", part: "decline" }, this.#words.say("decline"));
    agree.addEventListener("click", actions.agree);
    decline.addEventListener("click", actions.decline);
    const attributes = {
      "class": "consent", "part": "consent", "role": "group", "tabindex": "-1", "hidden": true,
      "aria-labelledby": "consent-title", "aria-describedby": "consent-text",
    };
    const consent = element(
      "div", attributes,
      element("h3", { id: "consent-title" }, this.#words.say("consent.title")),
      element("p", { id: "consent-text" }, this.#words.say("consent.text")),
      element("div", { class: "choices" }, agree, decline),
    );
    return { consent };
  }

  #button(part, action) {
    const button = element("button", { type: "button", part, class: part }, icon(), element("span", { class: "label" }));
    button.addEventListener("click", action);
    return button;
  }

  #labelled(word) {
    return element("span", { class: "label" }, this.#words.say(word));
  }

  #renderFrame(snapshot, { open, consenting }) {
    const { panel, launcher, consent, intro } = this.#nodes;
    panel.hidden = !open;
    panel.dataset.phase = snapshot.phase;
    panel.toggleAttribute("data-hearing", isHearing(snapshot));
    launcher.setAttribute("aria-expanded", String(open));
    this.#label(launcher, open ? "close" : "launch", open ? closeIcon : voiceIcon);
    consent.hidden = !consenting;
    intro.hidden = snapshot.lines.some((line) => line.text);
  }

  #renderStatus(snapshot) {
    const { status, hint: explanation } = this.#nodes;
    setText(status, this.#words.say(...phaseWord(snapshot)));
    setText(explanation, hints(snapshot).map((sentence) => this.#words.say(...sentence)).join(" "));
  }

  /** One main button, so that the focus stays where it is: start, then stop the answer, then end. */
  #renderControls(snapshot) {
    const { main } = this.#nodes;
    const live = isLive(snapshot);
    this.#talking = live && snapshot.held !== null && snapshot.microphone === "on" && !snapshot.paused;
    this.#talk.follow(snapshot.held);
    this.#label(main, ...this.#mainLabel(snapshot, live));
    main.classList.toggle("live", live && !this.#talking);
    main.classList.toggle("talk", this.#talking);
    if (this.#talking) main.setAttribute("aria-pressed", String(snapshot.held));
    else main.removeAttribute("aria-pressed");
    // Not `disabled`: the focus would be lost, and with it the place where the button works again.
    for (const button of [main, this.#nodes.send]) button.setAttribute("aria-disabled", String(snapshot.retryAt !== null));
    this.#renderSecond(snapshot, live);
  }

  #mainLabel(snapshot, live) {
    if (!live) return ["start", microphoneIcon];
    if (snapshot.paused) return ["resume", voiceIcon];
    if (this.#talking) return [snapshot.held ? "release" : "talk", microphoneIcon];
    return isAnswering(snapshot) ? ["stop", stopIcon] : ["end", closeIcon];
  }

  #renderSecond(snapshot, live) {
    const { main, second } = this.#nodes;
    if (!live && second.matches(":focus")) main.focus(); // or the focus would be lost with it
    second.hidden = !live;
    if (this.#talking) {
      second.removeAttribute("aria-pressed");
      return this.#label(second, "end", closeIcon);
    }
    const speaks = (snapshot.microphone === "on" || snapshot.microphone === "asking") && !snapshot.muted;
    second.setAttribute("aria-pressed", String(!speaks));
    this.#label(second, "mute", speaks ? microphoneIcon : mutedIcon);
  }

  #label(button, word, drawing) {
    setText(button.querySelector(".label"), this.#words.say(word));
    button.title = this.#words.say(word);
    if (button.dataset.icon === drawing.name) return;
    button.dataset.icon = drawing.name;
    button.querySelector("svg").replaceWith(drawing());
  }
}
