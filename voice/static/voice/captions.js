/**
 * The conversation in words. Lines that are complete stand in a log that screen readers follow; lines that still grow
 * stand below it, their words hidden from them, because a text that changes five times a second cannot be listened to.
 * Lines go over in their order, so the log never jumps. The sources of an answer can be followed while it is heard.
 */

import { element, setText } from "./dom.js";
import { outIcon } from "./icons.js";
import { safeHref } from "./links.js";
import { heardEnd } from "./transcript.js";

export class Captions {
  #words;
  #rows = []; // of each line, by its place in the conversation
  #log;
  #growing;
  #following = true; // the newest line, until the visitor scrolls back

  constructor(words) {
    this.#words = words;
    this.#log = element("div", { "role": "log", "aria-live": "polite", "aria-label": words.say("log"), "part": "log" });
    this.#growing = element("div", { part: "live" });
    this.element = element(
      "div", { "part": "captions", "class": "captions", "role": "group", "aria-label": words.say("log") },
      this.#log, this.#growing,
    );
    this.element.addEventListener("scroll", () => { this.#following = this.#isAtEnd(); });
    new ResizeObserver(() => this.#follow()).observe(this.element); // a notice appears, a phone is turned
  }

  render(lines) {
    const complete = countOfComplete(lines);
    for (const row of this.#rows.splice(lines.length)) row.node?.remove();
    lines.forEach((line, place) => this.#renderLine(line, place, place < complete));
    this.element.tabIndex = lines.length > 0 ? 0 : -1; // who scrolls by keys has nothing to scroll before
    this.#follow();
  }

  #follow() {
    if (this.#following) this.element.scrollTop = this.element.scrollHeight;
  }

  #renderLine(line, place, complete) {
    const row = (this.#rows[place] ??= { shown: null, node: null, complete: false });
    if (row.shown === line && row.complete === complete) return;
    Object.assign(row, { shown: line, complete });
    if (!line.text && !row.node) return; // a place for words to come takes no room
    row.node ??= this.#newNode(line);
    this.#fill(row.node, line, complete);
    this.#put(row.node, place, complete ? this.#log : this.#growing);
  }

  #newNode({ who }) {
    const said = element("div", { class: "said" }, element("span", { class: "who" }, this.#words.say(who)), element("p"));
    return element("div", { class: `line ${who}`, part: `line ${who}` }, said);
  }

  #fill(node, line, complete) {
    const end = heardEnd(line);
    const [heard, rest] = [line.text.slice(0, end), line.text.slice(end)];
    const said = node.firstChild;
    const text = said.lastChild;
    if (complete) said.removeAttribute("aria-hidden");
    else said.setAttribute("aria-hidden", "true");
    if (!rest) setText(text, heard);
    else text.replaceChildren(...this.#partly(heard, rest, complete));
    if (end > 0 && line.sources.length > 0 && said === node.lastChild) node.append(this.#sources(line.sources));
  }

  /** In the conversation's order, whatever was known first. Whoever stands on a link of it stays there. */
  #put(node, place, home) {
    if (node.parentNode === home) return;
    const focused = node.querySelector(":focus");
    const next = this.#rows.slice(place + 1).find((row) => row.node?.parentNode === home);
    home.insertBefore(node, next?.node ?? null);
    focused?.focus({ preventScroll: true });
  }

  /** What is not yet heard is marked. What never was does not stay, because the assistant does not know it said it. */
  #partly(heard, rest, complete) {
    if (!complete) return [heard, element("span", { class: "coming" }, rest)];
    const note = element("span", { class: "note" }, this.#words.say("unheard"));
    return heard ? [`${heard.trimEnd()} …`, note] : [note];
  }

  #sources(sources) {
    const items = sources.map(({ title, url }) => element("li", {}, this.#link(title, url)));
    const heading = element("span", { class: "who" }, this.#words.say("sources"));
    return element("div", { class: "sources", part: "sources" }, heading, element("ul", {}, ...items));
  }

  /** In a window of its own, because leaving the page would interrupt the conversation. */
  #link(title, url) {
    const href = safeHref(url);
    if (!href) return title;
    const note = element("span", { class: "aside" }, ` ${this.#words.say("window")}`);
    return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, outIcon(), element("span", {}, title, note));
  }

  #isAtEnd() {
    const { scrollTop, scrollHeight, clientHeight } = this.element;
    return scrollHeight - scrollTop - clientHeight < 40;
  }
}

function countOfComplete(lines) {
  const first = lines.findIndex((line) => !line.settled);
  return first < 0 ? lines.length : first;
}
