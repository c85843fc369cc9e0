import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../../voice/static/voice/resampler.js";

const SECONDS = 0.5;

function tone(frequency, rate) {
  return Float32Array.from({ length: rate * SECONDS }, (_, n) => 0.5 * Math.sin((2 * Math.PI * frequency * n) / rate));
}

/** In blocks of 128, as an AudioWorklet gets them. */
function resample(samples, from, to) {
  const resampler = new Resampler(from, to);
  const block = new Float32Array(resampler.capacity(128));
  const result = [];
  for (let n = 0; n < samples.length; n += 128) {
    const count = resampler.process(samples.subarray(n, n + 128), block);
    result.push(...block.subarray(0, count));
  }
  return result;
}

/** Loudness in dB against the 0.5 sine that went in, without the filter's start. */
function loudness(samples) {
  const steady = samples.slice(1000);
  const power = steady.reduce((sum, sample) => sum + sample * sample, 0) / steady.length;
  return 10 * Math.log10(power / 0.125);
}

for (const from of [16_000, 32_000, 44_100, 48_000, 96_000]) {
  for (const frequency of [100, 1_000, 3_400, 6_000]) {
    test(`a tone of ${frequency} Hz at ${from} Hz keeps its loudness at 24 kHz`, () => {
      assert.ok(Math.abs(loudness(resample(tone(frequency, from), from, 24_000))) < 0.5);
    });
  }
}

for (const from of [32_000, 44_100, 48_000, 96_000]) {
  for (const frequency of [12_500, 13_000, 15_000]) {
    test(`a tone of ${frequency} Hz at ${from} Hz does not fold back as an alias`, () => {
      assert.ok(loudness(resample(tone(frequency, from), from, 24_000)) < -50);
    });
  }
}

test("a tone keeps its frequency", () => {
  const samples = resample(tone(1_000, 44_100), 44_100, 24_000).slice(1_000);
  const crossings = samples.filter((sample, n) => n > 0 && samples[n - 1] < 0 && sample >= 0).length;
  assert.ok(Math.abs(crossings / (samples.length / 24_000) - 1_000) < 3);
});

for (const [from, to] of [[44_100, 24_000], [48_000, 24_000], [24_000, 48_000], [24_000, 44_100], [24_000, 24_000]]) {
  test(`a second at ${from} Hz is a second at ${to} Hz`, () => {
    assert.ok(Math.abs(resample(new Float32Array(from), from, to).length - to) <= 1);
  });
}

test("the sizes of the blocks do not show in the result", () => {
  const samples = tone(440, 48_000);
  const resampler = new Resampler(48_000, 24_000);
  const whole = new Float32Array(resampler.capacity(samples.length));
  const count = resampler.process(samples, whole);
  assert.deepEqual(Array.from(whole.subarray(0, count)), resample(samples, 48_000, 24_000));
});
