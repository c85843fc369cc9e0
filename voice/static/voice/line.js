/**
 * The line of one conversation: a socket, and another one each time it is lost, as often and as soon as the rule of the
 * close code allows (reconnect.js). Each asks to go on with the conversation of the one before.
 */

import { ReconnectPolicy } from "./reconnect.js";

export class Line {
  #options;
  #parts;
  #events;
  #policy;
  #connection = null;
  #dialled = false;
  #sessionId; // whose conversation goes on when the connection is lost; null: it is not kept
  #onlyGoOn; // nobody has asked for a new conversation
  #over = false;

  /**
   * @param {object} options what a connection needs (socket.js)
   * @param {object} parts those of parts.js
   * @param {object} events `onOpen(resume)`, `onMessage(message)`, `onAudio(pcm)` and `onSlow(slow)` of each connection;
   *   `onLost()` before it is dialled again, and last and once `onEnd({reason, retryAfterMs})`
   * @param {?string} interrupted the session whose conversation is to go on, without beginning one if it cannot
   */
  constructor(options, parts, events, interrupted = null) {
    this.#options = options;
    this.#parts = parts;
    this.#events = events;
    this.#policy = new ReconnectPolicy(parts.random);
    this.#sessionId = interrupted;
    this.#onlyGoOn = interrupted !== null;
  }

  /** The session that can be gone on with, or null. */
  get sessionId() {
    return this.#sessionId;
  }

  /** Whether it is open, or will be without being dialled. */
  get isDialled() {
    return this.#dialled;
  }

  dial() {
    this.#dialled = true;
    const goingOn = { interrupted: this.#sessionId, onlyGoOn: this.#onlyGoOn };
    this.#connection = this.#parts.connection({ ...this.#options, ...goingOn }, {
      ...this.#events,
      onMessage: (message) => this.#receive(message),
      onClose: (ending) => this.#lost(ending),
    });
    this.#connection.open();
  }

  /** Sends a message. False if nobody is there to hear it. */
  send(type, fields) {
    return this.#connection?.send(type, fields) ?? false;
  }

  sendAudio(pcm) {
    this.#connection?.sendAudio(pcm);
  }

  /** The network is gone: there is nothing to wait for. */
  abandon() {
    this.#connection?.abandon();
  }

  /** A new token, before the old one expires. */
  refresh() {
    this.#connection?.refresh();
  }

  /** Goodbye. No event follows. */
  end() {
    this.#over = true;
    this.#connection?.end();
  }

  /** The page is being left. No event follows. */
  leave() {
    this.#over = true;
    this.#connection?.leave();
  }

  #receive(message) {
    if (message.type === "session.ready") {
      this.#sessionId = message.resume === null ? null : message.session_id;
      this.#onlyGoOn = false;
      this.#policy.ready(this.#parts.now());
    }
    this.#events.onMessage(message);
  }

  async #lost(ending) {
    this.#connection = null;
    const delay = this.#policy.lost({ ...ending, now: this.#parts.now() });
    if (delay === null) {
      this.#dialled = this.#onlyGoOn = false;
      this.#sessionId = null; // whoever dials after this wants a new conversation
      return this.#events.onEnd(ending);
    }
    this.#events.onLost();
    await this.#parts.wait(delay);
    await this.#parts.whenReachable();
    if (!this.#over) this.dial();
  }
}
