/**
 * The lines of a conversation, as values: each function takes the lines and returns new ones.
 *
 * A line is `{id, who, text, heard, audible, settled, sources}`. `who` is "visitor" or "assistant". `heard` is how many
 * characters of an answer were heard so far; it counts only if the answer is `audible`, an answer without sound is
 * simply read. A `settled` line will not grow any more; what was not heard of it by then never was.
 * An `unclaimed` one waits for the id that the server gives it. A line without text is a place for words to come.
 */

const MS_PER_CHARACTER = 60; // speech is about 16 characters a second, in English and in French

/** A place for what the visitor begins to say: some providers know its words only when the answer has begun. */
export function withPlace(lines, item_id) {
  return put(lines, item_id, "visitor", () => ({}));
}

/** The same where its id is not known yet. The next words that have no place take it. */
export function withOpenPlace(lines) {
  if (lines.some(isOpenPlace)) return lines;
  return [...lines, { ...blank(`open_${lines.length}`, "visitor"), unclaimed: true }];
}

/** A question that the visitor typed just now. */
export function withTypedQuestion(lines, text) {
  return [...lines, { ...blank(`typed_${lines.length}`, "visitor"), text, unclaimed: true, settled: true }];
}

/** The visitor's words so far, whole. A typed question is known already when the server repeats it. */
export function withVisitorWords(lines, { item_id, text, final }) {
  const unknown = lines.every(({ id }) => id !== item_id);
  const typed = (line) => line.unclaimed && line.text === text && final;
  const place = unknown && (lines.find(typed) ?? lines.find(isOpenPlace));
  const placed = place ? update(lines, place.id, { id: item_id, unclaimed: false }) : lines;
  return put(placed, item_id, "visitor", (line) => ({ text, settled: line.settled || final }));
}

/** More text of an answer. `sources` are those of a new line. */
export function withAnswerWords(lines, { item_id, delta }, sources = []) {
  return put(lines, item_id, "assistant", (line) => ({ text: line.text + delta }), sources);
}

/** An answer that is going to be heard. */
export function withAudio(lines, item_id, sources = []) {
  return put(lines, item_id, "assistant", () => ({ audible: true }), sources);
}

/** What was said before, as the server remembers it: `{role, text, cut, sources}` each. */
export function recalled(items) {
  return items.map(({ role, text, cut, sources }, place) => ({
    ...blank(`past_${place}`, role === "user" ? "visitor" : "assistant"),
    text: cut ? `${text} …` : text,
    settled: true,
    sources,
  }));
}

/** What the player has reported of an answer. */
export function withPlayed(lines, report) {
  const line = lines.find(({ id }) => id === report.item_id);
  const heard = line && heardOf(line, report);
  return line && heard !== line.heard ? update(lines, line.id, { heard }) : lines;
}

/** Nothing of these lines will come any more. With `heard`, all of it was heard. */
export function settled(lines, { heard = false } = {}) {
  if (lines.every((line) => line.settled)) return lines;
  const last = (line) => (heard ? line.text.length : line.heard);
  return lines.map((line) => (line.settled ? line : { ...line, settled: true, heard: last(line) }));
}

/** Where the heard part of a line's text ends. */
export function heardEnd(line) {
  return line.who === "assistant" && line.audible ? line.heard : line.text.length;
}

/**
 * The text that belongs to the played milliseconds. While the answer still arrives, its whole length is not known and
 * is estimated from the text. Never goes back, and ends with a whole word.
 */
function heardOf(line, { played_ms, received_ms, complete }) {
  const whole = complete ? received_ms : Math.max(received_ms, line.text.length * MS_PER_CHARACTER);
  const share = whole > 0 ? Math.min(1, played_ms / whole) : 0;
  return Math.max(line.heard, wordEnd(line.text, Math.round(share * line.text.length)));
}

function wordEnd(text, position) {
  if (position === 0) return 0;
  const rest = text.slice(position).search(/\s/u);
  return rest < 0 ? text.length : position + rest;
}

function isOpenPlace(line) {
  return line.unclaimed && line.text === "";
}

function blank(id, who) {
  return { id, who, text: "", heard: 0, audible: false, settled: false, sources: [] };
}

function put(lines, id, who, change, sources = []) {
  const known = lines.find((line) => line.id === id);
  if (known) return update(lines, id, change(known));
  const line = { ...blank(id, who), sources };
  return [...lines, { ...line, ...change(line) }];
}

function update(lines, id, change) {
  return lines.map((line) => (line.id === id ? { ...line, ...change } : line));
}
