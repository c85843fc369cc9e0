/** Elements without markup in strings, so that the strictest policies (Trusted Types too) have nothing to object to. */

const SVG = "http://www.w3.org/2000/svg";

/** `element("button", {type: "button", part: "send", "aria-label": "Send"}, child, "text")`. Undefined is left out. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** A drawing of 24 by 24 units, decorative, in the colour of the text around it. */
export function icon(...paths) {
  const drawing = filled(document.createElementNS(SVG, "svg"), { viewBox: "0 0 24 24", "aria-hidden": "true" }, []);
  for (const d of paths) drawing.append(filled(document.createElementNS(SVG, "path"), { d }, []));
  return drawing;
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

/** Sets text only where it differs: a live region repeats what is set again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}
