import assert from "node:assert/strict";
import { test } from "node:test";

import { Playout } from "../../voice/static/voice/playout.js";

const RATE = 24_000;
const BLOCK = 128;
const loud = (milliseconds) => new Int16Array((milliseconds * RATE) / 1000).fill(0x4000);

/** Renders at least so many milliseconds, and returns the samples. */
function render(playout, milliseconds) {
  const samples = [];
  while (samples.length < (milliseconds * RATE) / 1000) {
    const block = new Float32Array(BLOCK);
    playout.render(block);
    samples.push(...block);
  }
  return samples;
}

const peak = (samples) => Math.max(...samples.map(Math.abs));
const largestStep = (samples) => Math.max(...samples.slice(1).map((sample, n) => Math.abs(sample - samples[n])));

test("playing waits until a little audio is there", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(20));
  assert.equal(peak(render(playout, 20)), 0);
  playout.push("a", loud(60));
  assert.ok(peak(render(playout, 20)) > 0.4);
});

test("a short answer that is complete does not wait", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(20));
  playout.finish("a");
  assert.ok(peak(render(playout, 10)) > 0.4);
});

test("while playing there is a report every 250 ms, and one at the end of the item", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(600));
  playout.finish("a");
  render(playout, 650);
  const reports = playout.takeReports();
  assert.deepEqual(reports.map(({ over }) => over), [false, false, true]);
  assert.ok(Math.abs(reports[0].played_ms - 250) < 6);
  assert.deepEqual(reports[2], {
    item_id: "a", played_ms: 600, received_ms: 600, underruns: 0, complete: true, over: true,
  });
});

test("a stop is reported at once, with exactly the samples that were rendered", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(1_000));
  const samples = render(playout, 100).length;
  playout.stop();
  assert.equal(playout.takeReports().at(-1).played_ms, Math.round((samples * 1000) / RATE));
});

test("after a stop there is silence within 10 ms, and nothing of the dropped audio comes back", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(1_000));
  render(playout, 100);
  playout.stop("a");
  render(playout, 10);
  assert.ok(peak(render(playout, 10)) < 0.001);
  playout.push("a", loud(200));
  assert.equal(peak(render(playout, 100)), 0);
});

test("a stop of an item that never came is reported as nothing played", () => {
  const playout = new Playout(RATE);
  playout.stop("x");
  assert.equal(playout.takeReports()[0].played_ms, 0);
});

test("the second stop of an item repeats the figure of the first", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(1_000));
  render(playout, 100);
  playout.stop();
  const [first] = playout.takeReports();
  playout.stop("a");
  assert.deepEqual(playout.takeReports(), [first]);
});

test("after a stop the next item plays", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(1_000));
  render(playout, 100);
  playout.stop();
  playout.push("b", loud(200));
  assert.ok(peak(render(playout, 20)) > 0.4);
});

test("running dry counts as an underrun of the item, and playing starts again with more in hand", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(60));
  render(playout, 100);
  playout.push("a", loud(70));
  assert.ok(peak(render(playout, 10)) < 0.001, "60 ms were not enough, so 70 ms are not taken for enough");
  playout.push("a", loud(100));
  render(playout, 10);
  playout.stop();
  assert.equal(playout.takeReports().at(-1).underruns, 1);
});

test("the end of an answer is not an underrun", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(100));
  playout.finish("a");
  render(playout, 200);
  assert.equal(playout.takeReports().at(-1).underruns, 0);
});

test("starting, stopping and running dry make no click", () => {
  const playout = new Playout(RATE);
  playout.push("a", loud(60));
  const samples = render(playout, 80);
  playout.push("a", loud(500));
  samples.push(...render(playout, 100));
  playout.stop();
  samples.push(...render(playout, 20));
  assert.ok(largestStep(samples) < 0.03);
});
