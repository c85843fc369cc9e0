/** The visitor's microphone: opened on a press, read in a worklet, closed so that the browser's light goes off. */

import { OpenContext } from "./context.js";

const WANTED = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const PROBLEMS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** Why there is no microphone: "refused", "missing", "busy" or "insecure"; "unloaded" if its worklet did not come. */
export class MicrophoneError extends Error {
  constructor(status, cause) {
    super(`no microphone: ${status}`, { cause });
    this.status = status;
  }
}

/** The status for what `getUserMedia` threw. */
export function statusOf(error) {
  return PROBLEMS[error?.name] ?? "busy";
}

export class Microphone {
  #worklet;
  #onFrame;
  #onLost;
  #onPaused;
  #context = null;
  #open = null; // the same, watched
  #stream = null;
  #node = null;
  #level = 0;
  #muted = false;

  /**
   * @param {object} options
   *   `worklet` is its URL. `onFrame(pcm)` gets 40 ms of PCM16 at 24 kHz. `onLost(status)` is called when the device is
   *   unplugged ("lost") or the permission is withdrawn ("refused"), `onPaused()` when `paused` may have changed.
   */
  constructor({ worklet, onFrame, onLost, onPaused }) {
    this.#worklet = worklet;
    this.#onFrame = onFrame;
    this.#onLost = onLost;
    this.#onPaused = onPaused;
  }

  /** Whether the system has taken the sound away. */
  get paused() {
    return this.#open?.paused ?? false;
  }

  /** Call it within the visitor's press. */
  async resume() {
    await this.#open?.resume();
  }

  /** Loudness of the last frame, its RMS from 0 to 1. */
  get level() {
    return this.#level;
  }

  /** @throws {MicrophoneError} */
  async open() {
    try {
      this.#stream = await this.#ask();
      await this.#listen();
    } catch (error) {
      this.close();
      throw error instanceof MicrophoneError ? error : new MicrophoneError(statusOf(error), error);
    }
  }

  /** While muted no frame leaves the worklet. */
  mute(muted) {
    this.#muted = muted;
    this.#level = 0;
    this.#node?.port.postMessage({ muted });
    for (const track of this.#stream?.getTracks() ?? []) track.enabled = !muted;
  }

  close() {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    if (this.#node) this.#node.port.onmessage = null;
    if (this.#open) this.#open.close();
    else this.#context?.close();
    this.#stream = this.#context = this.#open = this.#node = null;
    this.#level = 0;
    setSessionType("auto");
  }

  async #ask() {
    const devices = globalThis.navigator?.mediaDevices;
    if (!devices) throw new MicrophoneError(globalThis.isSecureContext ? "missing" : "insecure");
    return devices.getUserMedia({ audio: WANTED });
  }

  /** At the device's own rate: Firefox cannot connect a microphone to a context of another one. */
  async #listen() {
    const stream = this.#stream;
    setSessionType("play-and-record");
    this.#context = new AudioContext({ latencyHint: "interactive" });
    await Promise.all([this.#load(), this.#context.resume()]);
    this.#node = new AudioWorkletNode(this.#context, "voice-capture", { numberOfOutputs: 0, channelCount: 1 });
    this.#node.port.onmessage = ({ data }) => this.#receive(data);
    this.mute(this.#muted);
    this.#context.createMediaStreamSource(stream).connect(this.#node);
    for (const track of stream.getAudioTracks()) track.addEventListener("ended", () => this.#lose());
    this.#open = new OpenContext(this.#context, this.#onPaused);
  }

  async #lose() {
    this.#onLost((await isWithdrawn()) ? "refused" : "lost");
  }

  async #load() {
    try {
      await this.#context.audioWorklet.addModule(this.#worklet);
    } catch (error) {
      throw new MicrophoneError("unloaded", error);
    }
  }

  #receive({ pcm, level }) {
    if (this.#muted) return;
    this.#level = level;
    this.#onFrame(pcm);
  }
}

async function isWithdrawn() {
  try {
    return (await navigator.permissions.query({ name: "microphone" })).state !== "granted";
  } catch {
    return false; // a browser that does not know this permission by name
  }
}

/** Where it exists (Safari), so that the phone plays through its loudspeaker and keeps listening. */
function setSessionType(type) {
  const session = globalThis.navigator?.audioSession;
  if (session) session.type = type;
}
