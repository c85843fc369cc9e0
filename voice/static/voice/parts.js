/** What a conversation is made of beside its rules: devices, network, time, chance, and the page around it. */

import { remember } from "./interrupted.js";
import { Microphone } from "./microphone.js";
import { Connection } from "./socket.js";
import { Speaker } from "./speaker.js";
import { watch, whenReachable } from "./surroundings.js";

/** In a browser. A test brings its own. */
export const PARTS = Object.freeze({
  connection: (options, events) => new Connection(options, events),
  microphone: (options) => new Microphone(options),
  speaker: (options) => new Speaker(options),
  wait: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  whenReachable,
  watch,
  remember,
  now: () => performance.now(),
  clock: () => Date.now(),
  random: Math.random,
});
