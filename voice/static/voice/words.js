/**
 * The widget's words. They come with the page, translated by Django, in a `<template>` inside the element: one node for
 * each, named by `data-word`. A word that is missing shows its name, so that it is missed.
 */
export function readWords(host) {
  const nodes = host.querySelector(":scope > template")?.content.querySelectorAll("[data-word]") ?? [];
  return wording(new Map(Array.from(nodes, (node) => [node.dataset.word, node.textContent.trim()])), host.lang);
}

/** `words` is a map from names to words in `language`. */
export function wording(words, language) {
  const clock = new Clock(language);
  /** The word, with each `{value}` in it filled in. A value that is a time of another day asks for its word of that. */
  const say = (name, values = {}) => {
    if (values.at instanceof Date) return say(clock.isToday(values.at) ? name : `${name}.later`, { at: clock.tell(values.at) });
    return (words.get(name) ?? name).replace(/\{(\w+)\}/g, (hole, value) => values[value] ?? hole);
  };
  return { say };
}

/** Times as people write them where the visitor is, in the language of the page. */
class Clock {
  #time;
  #day;

  constructor(language) {
    const locale = localeOf(language);
    this.#time = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
    this.#day = new Intl.DateTimeFormat(locale, { dateStyle: "full", timeStyle: "short" });
  }

  isToday(date) {
    return date.toDateString() === new Date().toDateString();
  }

  tell(date) {
    return (this.isToday(date) ? this.#time : this.#day).format(date);
  }
}

/** The visitor's own kind of the page's language, as en-GB for en: they differ in how they write a time. */
function localeOf(language) {
  const primary = language?.split("-")[0];
  const own = globalThis.navigator?.languages?.find((tag) => tag.split("-")[0] === primary);
  try {
    return Intl.getCanonicalLocales(own ?? language)[0];
  } catch {
    return undefined; // no language that anyone knows: the browser's own
  }
}
