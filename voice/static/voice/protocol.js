/**
 * The wire `voice.v1`: the names of its messages and the kinds of their fields (voice/docs/protocol.md).
 *
 * Binary frames are PCM: 16 bit little endian, mono, 24 kHz. That is also the byte order of every machine that runs a
 * browser, so an Int16Array is sent as it lies in memory.
 */

export const SUBPROTOCOL = "voice.v1";
export const BEARER_PREFIX = "voice.bearer.";
export const SAMPLE_RATE = 24_000;
export const FRAME_SAMPLES = 960; // 40 ms, 1,920 bytes
export const MAX_TEXT = 4_000; // characters of a typed question
export const MAX_PAGE_TEXT = 2_048; // characters of the page's text

/** What we may say: the fields of each message, in their order. */
export const CLIENT_MESSAGES = Object.freeze({
  "start": ["language", "mode", "page", "notice", "resume", "waiting"],
  "input_text": ["text"],
  "playback": ["item_id", "played_ms", "underruns"],
  "interrupt": [],
  "mute": ["muted"],
  "commit": [],
  "auth.refresh": ["token"],
  "end": [],
});

/** What we may hear: the kind of each field. A field with `?` may be null. */
export const SERVER_MESSAGES = Object.freeze({
  "session.ready": { session_id: "string", provider: "string", seconds: "number", resume: "string?" },
  "history": { items: "array" },
  "speech.started": { item_id: "string" },
  "speech.stopped": { item_id: "string" },
  "transcript.user": { item_id: "string", text: "string", final: "boolean" },
  "transcript.assistant": { item_id: "string", delta: "string" },
  "audio.item": { item_id: "string" },
  "audio.done": { item_id: "string" },
  "playback.stop": { item_id: "string" },
  "context": { sources: "array", prefetched: "boolean", waited_ms: "number" },
  "turn.done": { turn: "number", outcome: "string", latencies: "object" },
  "notice": { code: "string" },
  "session.expiring": { seconds: "number", why: "string" },
  "session.ending": {
    code: "number", reason: "string", retry: "string", retry_after_ms: "number?", message: "string",
  },
  "error": { code: "string", message: "string", param: "string?" },
});

/**
 * A message as a text frame.
 *
 * @throws {TypeError} when the wire has no such message or the message no such field
 */
export function encode(type, fields = {}) {
  const known = CLIENT_MESSAGES[type];
  if (!known) throw new TypeError(`voice.v1 has no message ${type}`);
  const strange = Object.keys(fields).find((name) => !known.includes(name));
  if (strange) throw new TypeError(`${type} has no field ${strange}`);
  return JSON.stringify({ type, ...fields });
}

/**
 * The fields of `start`, from the client's options, the token for going on with a conversation, or null, and whether the
 * visitor is still being asked for their microphone.
 */
export function greeting({ language, page, notice, pushToTalk }, resume, waiting) {
  const mode = pushToTalk ? "push_to_talk" : null;
  const fields = { language, mode, page: page && abridged(page), notice, resume, waiting: waiting || null };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

function abridged(page) {
  return { ...page, text: (page.text ?? "").slice(0, MAX_PAGE_TEXT) };
}

/**
 * The message in a text frame, or null if it is none that we know, or a field is missing or of the wrong kind.
 * Fields that we do not know are left alone: a newer server may say more.
 */
export function decode(frame) {
  const message = parse(frame);
  if (!Object.hasOwn(SERVER_MESSAGES, message?.type)) return null;
  return Object.entries(SERVER_MESSAGES[message.type]).every(([name, kind]) => isOfKind(message[name], kind)) ? message : null;
}

function parse(frame) {
  try {
    return JSON.parse(frame);
  } catch {
    return null;
  }
}

function isOfKind(value, kind) {
  if (kind.endsWith("?")) return value === null || value === undefined || isOfKind(value, kind.slice(0, -1));
  if (kind === "array") return Array.isArray(value);
  if (kind === "object") return typeof value === "object" && value !== null && !Array.isArray(value);
  return typeof value === kind;
}
