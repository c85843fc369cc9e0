import assert from "node:assert/strict";
import { test } from "node:test";

import { Framer } from "../../voice/static/voice/framer.js";

function frames(framer, samples) {
  const emitted = [];
  framer.push(Float32Array.from(samples), samples.length, (frame, level) => emitted.push({ frame: [...frame], level }));
  return emitted;
}

test("a frame is emitted when it is full, and the rest waits for the next samples", () => {
  const framer = new Framer(2);
  assert.deepEqual(frames(framer, [0, 0, 0]).map(({ frame }) => frame), [[0, 0]]);
  assert.deepEqual(frames(framer, [1]).map(({ frame }) => frame), [[0, 0x7fff]]);
});

test("samples beyond full scale are clipped, not wrapped", () => {
  assert.deepEqual(frames(new Framer(2), [2, -2])[0].frame, [0x7fff, -0x8000]);
});

test("the level of a frame is its RMS", () => {
  assert.equal(frames(new Framer(2), [0.5, -0.5])[0].level, 0.5);
});

test("after a reset nothing of before is sent", () => {
  const framer = new Framer(2);
  frames(framer, [1]);
  framer.reset();
  assert.deepEqual(frames(framer, [0, 0])[0], { frame: [0, 0], level: 0 });
});

test("each frame has a buffer of its own, so that it can be given away", () => {
  const buffers = new Set();
  new Framer(1).push(new Float32Array(3), 3, (frame) => buffers.add(frame.buffer));
  assert.equal(buffers.size, 3);
});
