/** Which version of the consent notice this visitor has accepted. A new version asks again. */

const KEY = "voice.consent";
let accepted = null; // for this page, where storage is refused

export function hasConsented(version) {
  return accepted === version || stored() === version;
}

export function consent(version) {
  accepted = version;
  try {
    localStorage.setItem(KEY, version);
  } catch {
    // Private browsing, or storage blocked by the visitor: they will be asked again on the next page.
  }
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
