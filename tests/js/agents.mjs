// A conversation by the OpenAI Agents SDK, unmodified: asks aloud, interrupts the answer with a second question, types a
// third one. Run as `URL=... TOKEN=... node agents.mjs question.pcm follow-up.pcm "typed question"`; prints what
// happened as JSON.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { OpenAIRealtimeWebSocket, RealtimeAgent, RealtimeSession } from "@openai/agents-realtime";

const FRAME_MS = 40;
const FRAME = FRAME_MS * 48;
const PACE = 1.2; // just under what the server allows for ever

const [question, followUp] = process.argv.slice(2, 4).map((file) => readFileSync(file));
const typed = process.argv[4];
const told = { session: "", events: [], errors: [], heardMs: 0 };

const transport = new OpenAIRealtimeWebSocket({ url: process.env.URL });
const session = new RealtimeSession(new RealtimeAgent({ name: "Rude", instructions: "Be rude." }), { transport });

const waiting = new Set();
transport.on("*", (event) => {
  if (event.type !== told.events.at(-1)) told.events.push(event.type);
  if (event.type === "session.created") told.session = event.session.id;
  for (const look of waiting) look(event);
});
session.on("error", ({ error }) => told.errors.push(error instanceof Error ? String(error) : error));
session.on("audio", ({ data }) => (told.heardMs += data.byteLength / 48));
session.on("audio_interrupted", () => told.events.push("(silent)"));

const until = (type, match = () => true) =>
  new Promise((resolve) => {
    const look = (event) => {
      if (event.type !== type || !match(event)) return;
      waiting.delete(look);
      resolve(event);
    };
    waiting.add(look);
  });

// The microphone: what is said, then silence, for ever.
let speech = Buffer.alloc(0);
async function listen() {
  const began = performance.now();
  for (let frame = 1; ; frame += 1) {
    await sleep(began + (frame * FRAME_MS) / PACE - performance.now());
    const heard = Buffer.alloc(FRAME);
    speech.copy(heard);
    speech = speech.subarray(FRAME);
    session.transport.sendAudio(heard.buffer.slice(heard.byteOffset, heard.byteOffset + FRAME));
  }
}

await session.connect({ apiKey: process.env.TOKEN });
listen();

let answer = until("response.output_audio.delta");
speech = question;
const first = await answer;
await sleep(500);

answer = until("response.output_audio.delta", ({ response_id }) => response_id !== first.response_id);
speech = followUp;
const second = await answer;

session.interrupt();
answer = until("response.output_audio.delta", ({ response_id }) => response_id !== second.response_id);
session.sendMessage(typed);
await answer;

told.history = session.history.map(({ role, status, content }) => ({ role, status, content }));
session.close();
console.log(JSON.stringify(told));
process.exit(0);
