import assert from "node:assert/strict";
import { test } from "node:test";

import { RingBuffer } from "../../voice/static/voice/ring.js";

const HALF = 0x4000; // 0.5

function read(ring, count) {
  const target = new Float32Array(count);
  return [...target.subarray(0, ring.read(target))];
}

test("samples come out in the order in which they went in, as floats", () => {
  const ring = new RingBuffer(4);
  ring.write(Int16Array.of(HALF, -HALF, 0));
  assert.deepEqual(read(ring, 2), [0.5, -0.5]);
  assert.deepEqual(read(ring, 2), [0]);
});

test("writing goes on at the start of the memory when its end is reached", () => {
  const ring = new RingBuffer(4);
  for (let round = 0; round < 10; round++) {
    assert.equal(ring.write(Int16Array.of(HALF, 0, -HALF)), 3);
    assert.deepEqual(read(ring, 3), [0.5, 0, -0.5]);
  }
});

test("a full buffer takes no more, and says how much it took", () => {
  const ring = new RingBuffer(4);
  assert.equal(ring.write(new Int16Array(3)), 3);
  assert.equal(ring.write(new Int16Array(3)), 1);
  assert.equal(ring.length, 4);
});

test("the newest samples can be dropped, also across the end of the memory", () => {
  const ring = new RingBuffer(4);
  ring.write(new Int16Array(3));
  read(ring, 3);
  ring.write(Int16Array.of(HALF, -HALF, -HALF));
  ring.dropNewest(2);
  ring.write(Int16Array.of(0));
  assert.deepEqual(read(ring, 4), [0.5, 0]);
});
