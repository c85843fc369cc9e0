/**
 * The conversation in words. Lines that are complete stand in a log that screen readers follow; lines that still grow
 * stand in a mirror below it, hidden from them, because a text that changes five times a second cannot be listened to.
 * Lines go over in their order, so the log never jumps.
 */

import { element, setText } from "./dom.js";
import { outIcon } from "./icons.js";
import { safeHref } from "./links.js";
import { heardEnd } from "./transcript.js";

export class Captions {
  #words;
  #rows = []; // of each line, by its place in the conversation
  #log;
  #mirror;
  #following = true; // the newest line, until the visitor scrolls back

  constructor(words) {
    this.#words = words;
    this.#log = element("div", { "role": "log", "aria-live": "polite", "aria-label": words.say("log"), "part": "log" });
    this.#mirror = element("div", { "part": "live", "aria-hidden": "true" });
    this.element = element(
      "div", { "part": "captions", "class": "captions", "role": "group", "aria-label": words.say("log") },
      this.#log, this.#mirror,
    );
    this.element.addEventListener("scroll", () => { this.#following = this.#isAtEnd(); });
  }

  render(lines) {
    const complete = countOfComplete(lines);
    for (const row of this.#rows.splice(lines.length)) row.node?.remove();
    lines.forEach((line, place) => this.#renderLine(line, place, place < complete));
    this.element.tabIndex = lines.length > 0 ? 0 : -1; // who scrolls by keys has nothing to scroll before
    if (this.#following) this.element.scrollTop = this.element.scrollHeight;
  }

  #renderLine(line, place, complete) {
    const row = (this.#rows[place] ??= { shown: null, node: null, complete: false });
    if (row.shown === line && row.complete === complete) return;
    if (row.complete !== complete || row.node === null) this.#move(row, line, complete);
    row.shown = line;
    if (row.node) this.#fill(row, line);
  }

  /** An empty line takes no room: the visitor has begun to speak, or to be answered, and no word is there yet. */
  #move(row, line, complete) {
    row.node?.remove();
    row.complete = complete;
    row.node = line.text ? this.#newNode(line) : null;
    if (row.node) (complete ? this.#log : this.#mirror).append(row.node);
  }

  #newNode(line) {
    const node = element("div", { "class": `line ${line.who}`, "part": `line ${line.who}` });
    node.append(element("span", { class: "who" }, this.#words.say(line.who)), element("p"));
    return node;
  }

  #fill({ node, complete }, line) {
    const end = heardEnd(line);
    const [heard, rest] = [line.text.slice(0, end), line.text.slice(end)];
    const text = node.querySelector("p");
    if (!rest) setText(text, heard);
    else text.replaceChildren(...this.#partly(heard, rest, complete));
    if (complete && end > 0 && line.sources.length > 0 && !node.querySelector(".sources")) node.append(this.#sources(line.sources));
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
    return element("a", { href, target: "_blank", rel: "noopener noreferrer" }, title, outIcon(), note);
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
