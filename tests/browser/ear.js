/**
 * What a page really plays, and what it was told and says of it, as a witness beside the widget sees it: `window.ear`.
 *
 * The witness stands between the player and the loudspeaker. Every sample that leaves the player is kept, and so is
 * each message of the socket, with the number of samples that had been played when it came or went.
 */

const ear = window.ear = { rate: 0, blocks: [], messages: [], sent: [], frames: 0, items: {}, sockets: 0, socket: null, now: () => 0 };

const Node = window.AudioWorkletNode;
window.AudioWorkletNode = class extends Node {
  constructor(context, name, options) {
    super(context, name, options);
    if (name !== "voice-playback") return;
    ear.rate = context.sampleRate;
    ear.now = () => Math.round(context.currentTime * context.sampleRate);
    context.audioWorklet.addModule("/static/ear-worklet.js").then(() => {
      const tap = new Node(context, "ear", { numberOfOutputs: 0 });
      tap.port.onmessage = ({ data }) => ear.blocks.push(data);
      this.connect(tap);
    });
  }
};

const Socket = window.WebSocket;
window.WebSocket = class extends Socket {
  #item = null;

  constructor(...address) {
    super(...address);
    ear.sockets += 1;
    ear.socket = this;
    this.addEventListener("message", ({ data }) => this.#hear(data));
  }

  #hear(data) {
    if (typeof data !== "string") return void ear.items[this.#item]?.push(data.slice(0));
    const message = JSON.parse(data);
    ear.messages.push({ at: ear.now(), ...message });
    if (message.type !== "audio.item") return;
    this.#item = message.item_id;
    ear.items[this.#item] ??= [];
  }

  send(data) {
    if (typeof data === "string") ear.sent.push({ at: ear.now(), ...JSON.parse(data) });
    else ear.frames += 1;
    super.send(data);
  }
};

/** All that was played: `first` is the number of the first sample, `pcm` the samples (16 bit) in base64. */
ear.played = () => ({ first: ear.blocks[0]?.first ?? 0, pcm: base64(joined(ear.blocks.map(({ pcm }) => pcm))) });
/** All that came of an item. */
ear.received = (item) => base64(joined(ear.items[item] ?? []));

function joined(buffers) {
  const whole = new Uint8Array(buffers.reduce((sum, { byteLength }) => sum + byteLength, 0));
  let at = 0;
  for (const buffer of buffers) {
    whole.set(new Uint8Array(buffer), at);
    at += buffer.byteLength;
  }
  return whole;
}

function base64(bytes) {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += 0x8000) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 0x8000)));
  return btoa(pieces.join(""));
}
