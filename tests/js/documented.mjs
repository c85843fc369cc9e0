/** voice/docs/protocol.md, read as data. */

import { readFileSync } from "node:fs";

const TEXT = readFileSync(new URL("../../voice/docs/protocol.md", import.meta.url), "utf8");

export function section(title) {
  const [, after] = TEXT.split(`## ${title}\n`);
  return after.split(/^## /m)[0];
}

/** The rows of a section's first table, each as its cells. */
export function rows(title) {
  const table = section(title).split("\n").filter((line) => line.startsWith("|"));
  return table.slice(2).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** `{type: [field, ...]}` of a message table: the fields are the code words outside of parentheses and braces. */
export function messages(title) {
  const entries = rows(title).map(([type, fields]) => [
    type.replaceAll("`", ""),
    [...fields.replace(/\([^)]*\)/g, "").matchAll(/`([a-z_]+)`/g)].map(([, name]) => name),
  ]);
  return Object.fromEntries(entries);
}

/** The example frames of a section. */
export function examples(title) {
  const [, json] = section(title).split("```json\n");
  return json.split("```")[0].trim().split("\n");
}

/** `{code: [reason, ...]}` */
export function endings() {
  const entries = rows("How a session ends").map(([code, reasons]) => [
    code, [...reasons.matchAll(/`([a-z_]+)`/g)].map(([, reason]) => reason),
  ]);
  return Object.fromEntries(entries);
}
