/** A turn in words, for whoever listens to the conversation from outside: what was asked, and what was heard of the answer. */

import { heardEnd } from "./transcript.js";

/**
 * The turn that begins at line `from`: `{question, answer, sources, next}`, where `next` is the first line behind it.
 * The end of an interrupted turn may be told when the next question is there already, so it ends with its answer.
 */
export function turnFrom(lines, from) {
  const asked = lines.findIndex((line, place) => place >= from && line.who === "visitor");
  const begin = asked < 0 ? from : asked + 1;
  const following = lines.slice(begin);
  const end = following.findIndex((line) => line.who === "visitor");
  const answers = end < 0 ? following : following.slice(0, end);
  return {
    question: asked < 0 ? "" : lines[asked].text,
    answer: answers.map((line) => line.text.slice(0, heardEnd(line))).join(" ").trim(),
    sources: answers.flatMap((line) => line.sources),
    next: begin + answers.length,
  };
}
