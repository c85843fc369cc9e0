/** One socket, from its ticket to its close: frames in both ways, and one ending, whatever went wrong. */

import { Congestion } from "./congestion.js";
import { BEARER_PREFIX, SUBPROTOCOL, decode, encode } from "./protocol.js";
import { TicketRefused, requestTicket } from "./ticket.js";

const TIME_LIMIT_MS = 10_000; // for the handshake, and for the ticket
// Connections that the browser keeps for its requests die with the network, and it does not know: a request on one of
// them is never answered. To give it up closes that one, so the next goes by another; a page leaves some. A socket has
// a connection of its own.
const PATIENCE_MS = [1_500, 2_000, 2_500, 6_000];
const OPEN = 1; // WebSocket.OPEN, also where there is no WebSocket to ask

export class Connection {
  #options;
  #events;
  #socket = null;
  #ending = null; // what session.ending said
  #closed = false;
  #congestion = new Congestion();
  #slow = false;

  /**
   * @param {{ticketUrl: string, socketUrl: string, csrfToken: string, interrupted: ?string, onlyGoOn: boolean}} options
   *   `interrupted` is the session whose conversation is to go on; with `onlyGoOn` none is begun if it cannot
   * @param {object} events `onOpen(resume)` with the token for that or null, `onMessage(message)`,
   *   `onAudio(pcm: ArrayBuffer)`, `onSlow(slow)` when frames of the microphone begin or cease to be dropped, and last and
   *   once `onClose({code, reason, retryAfterMs})`
   */
  constructor(options, events) {
    this.#options = options;
    this.#events = events;
  }

  async open() {
    try {
      const { ticket, resume } = await this.#ticket(this.#options.interrupted ? PATIENCE_MS : [TIME_LIMIT_MS]);
      if (this.#options.onlyGoOn && resume === null) this.#close(GONE);
      if (!this.#closed) this.#dial(ticket, resume);
    } catch (error) {
      this.#close(error instanceof TicketRefused ? error.ending : LOST);
    }
  }

  /** Sends a message. False if there is no open socket. */
  send(type, fields) {
    if (this.#socket?.readyState !== OPEN) return false;
    this.#socket.send(encode(type, fields));
    return true;
  }

  /** Sends a frame of the microphone, or drops it: on a network that cannot keep up, and before the socket is open. */
  sendAudio(pcm) {
    if (this.#socket?.readyState !== OPEN) return;
    const state = this.#congestion.look(this.#socket.bufferedAmount, performance.now());
    if (state === "gone") return this.abandon();
    this.#tellSlow(state === "full");
    if (state === "free") this.#socket.send(pcm);
  }

  /** The network is gone: there is nothing to wait for. */
  abandon() {
    this.#close(LOST);
    this.#socket?.close();
  }

  /** A new token for this socket, before the old one expires. */
  async refresh() {
    const options = { ...this.#options, interrupted: null, patience: TIME_LIMIT_MS };
    const fresh = await requestTicket(options).catch(() => null);
    if (fresh !== null) this.send("auth.refresh", { token: fresh.ticket });
  }

  /** Goodbye. No event follows. */
  end() {
    this.#closed = true;
    this.send("end");
    this.#socket?.close(1000);
  }

  /** The page is being left, and the socket with it. No event follows. */
  leave() {
    this.#closed = true;
  }

  /** One request after the other, never two at once: each makes what an earlier one gave to go on with worthless. */
  async #ticket([patience, ...further]) {
    try {
      return await requestTicket({ ...this.#options, patience });
    } catch (error) {
      if (!error.unanswered || this.#closed || further.length === 0) throw error;
      return this.#ticket(further);
    }
  }

  #dial(ticket, resume) {
    const socket = new WebSocket(absolute(this.#options.socketUrl), [SUBPROTOCOL, BEARER_PREFIX + ticket]);
    const impatience = setTimeout(() => this.abandon(), TIME_LIMIT_MS);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      clearTimeout(impatience);
      if (!this.#closed) this.#events.onOpen(resume);
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => {
      clearTimeout(impatience);
      this.#close(this.#ending ?? { ...LOST, code });
    };
    this.#socket = socket;
  }

  #tellSlow(slow) {
    if (slow === this.#slow) return;
    this.#slow = slow;
    this.#events.onSlow(slow);
  }

  #receive(data) {
    if (this.#closed) return;
    if (data instanceof ArrayBuffer) return this.#events.onAudio(data);
    const message = decode(data);
    if (message?.type === "session.ending") {
      this.#ending = { code: message.code, reason: message.reason, retryAfterMs: message.retry_after_ms ?? null };
    }
    if (message) this.#events.onMessage(message);
  }

  #close(ending) {
    if (this.#closed) return;
    this.#closed = true;
    this.#events.onClose(ending);
  }
}

const LOST = Object.freeze({ code: 1006, reason: "network", retryAfterMs: null });
/** The conversation that was to go on has ended for good. */
const GONE = Object.freeze({ code: 1000, reason: "gone", retryAfterMs: null });

function absolute(path) {
  const url = new URL(path, globalThis.location?.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}
