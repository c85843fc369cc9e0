/**
 * One colour of the site becomes the four that the widget needs, so that whatever the site chose can be read: as text
 * and as a button, on light and on dark surfaces, with a contrast of at least 4.5 (WCAG 2.2, 1.4.3). Pure.
 */

const CONTRAST = 4.5;
const LIGHT = [0xf1, 0xf5, 0xf5]; // --voice-sunken of widget.css, the darker one of its light surfaces
const DARK = [0x1d, 0x31, 0x38]; // --voice-sunken-dark, the lighter one of its dark surfaces
const BLACK = [0, 0, 0];
const WHITE = [255, 255, 255];

/** `{accent, onAccent, accentDark, onAccentDark}` for `#rgb` or `#rrggbb`; null for anything else. */
export function accentsOf(colour) {
  const chosen = parse(colour ?? "");
  if (!chosen) return null;
  const accent = readable(chosen, LIGHT, BLACK);
  const accentDark = readable(chosen, DARK, WHITE);
  return {
    accent: hex(accent), onAccent: hex(on(accent)), accentDark: hex(accentDark), onAccentDark: hex(on(accentDark)),
  };
}

/** How well two colours can be told apart, from 1 to 21. */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

export function parse(colour) {
  const digits = colour.trim().match(/^#([0-9a-f]{3}|[0-9a-f]{6})$/i)?.[1];
  if (!digits) return null;
  const pairs = digits.length === 3 ? [...digits].map((digit) => digit + digit) : digits.match(/../g);
  return pairs.map((pair) => parseInt(pair, 16));
}

/** The first mixture of `colour` with `towards` that can be read on `surface`. */
function readable(colour, surface, towards) {
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = colour.map((part, n) => Math.round(part + share * (towards[n] - part)));
    if (contrast(mixed, surface) >= CONTRAST) return mixed;
  }
  return towards;
}

function on(colour) {
  return contrast(WHITE, colour) >= contrast(BLACK, colour) ? WHITE : BLACK;
}

function luminance(colour) {
  const [red, green, blue] = colour.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function hex(colour) {
  return `#${colour.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
