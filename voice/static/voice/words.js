/**
 * The widget's words. They come with the page, translated by Django, in a `<template>` inside the element: one node for
 * each, named by `data-word`. A word that is missing shows its name, so that it is missed.
 */
export function readWords(host) {
  const nodes = host.querySelector(":scope > template")?.content.querySelectorAll("[data-word]") ?? [];
  const words = new Map(Array.from(nodes, (node) => [node.dataset.word, node.textContent.trim()]));
  return {
    has: (name) => Boolean(words.get(name)),
    /** The word, with each `{value}` in it filled in. */
    say: (name, values = {}) =>
      (words.get(name) ?? name).replace(/\{(\w+)\}/g, (hole, value) => values[value] ?? hole),
  };
}
