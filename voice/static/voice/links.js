/** An address that a source may link to: http(s), or a path of this site. Anything else (`javascript:` …) is null. */
export function safeHref(url, base = globalThis.location?.href) {
  if (!url) return null;
  try {
    const { protocol, href } = new URL(url, base);
    return protocol === "https:" || protocol === "http:" ? href : null;
  } catch {
    return null;
  }
}
