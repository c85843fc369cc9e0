/**
 * Streaming conversion from one sample rate to another: a polyphase FIR filter, a sinc under a Kaiser window.
 *
 * The band that both rates can carry is kept up to 10/12 of its edge (10 kHz of 12 kHz at 24 kHz); what lies above the
 * edge is 70 dB down, so that nothing above it folds back as an alias. Rates are whole numbers of hertz: 44,100 to
 * 24,000 is done exactly, as 80/147.
 */

const STOPBAND_DB = 70;
const PASSBAND = 10 / 12;

export class Resampler {
  #up;
  #down;
  #filters;
  #taps;
  #line; // the last taps - 1 samples of before, then the new ones
  #position = 0; // of the next output sample, in input samples times #up, counted from the first new sample

  constructor(from, to) {
    const divisor = greatestCommonDivisor(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    this.#filters = design(from, to, this.#up);
    this.#taps = this.#filters[0].length;
    this.#line = new Float32Array(this.#taps - 1 + 128);
  }

  /** The most output samples that `count` input samples can give. */
  capacity(count) {
    return Math.ceil((count * this.#up) / this.#down) + 1;
  }

  /**
   * Filters all of `input` into `output`, which holds at least `capacity(input.length)` samples.
   * Returns how many samples were written.
   */
  process(input, output) {
    const old = this.#taps - 1;
    const line = this.#lineFor(old + input.length);
    line.set(input, old);
    const end = input.length * this.#up;
    let written = 0;
    for (; this.#position < end; this.#position += this.#down) {
      const newest = old + Math.floor(this.#position / this.#up);
      output[written++] = dot(this.#filters[this.#position % this.#up], line, newest);
    }
    this.#position -= end;
    line.copyWithin(0, input.length, input.length + old);
    return written;
  }

  #lineFor(length) {
    if (length > this.#line.length) {
      const longer = new Float32Array(length);
      longer.set(this.#line.subarray(0, this.#taps - 1));
      this.#line = longer;
    }
    return this.#line;
  }
}

function dot(filter, line, newest) {
  let sum = 0;
  for (let tap = 0; tap < filter.length; tap++) sum += filter[tap] * line[newest - tap];
  return sum;
}

/** One filter for each of the `up` positions that an output sample can have between two input samples. */
function design(from, to, up) {
  const edge = Math.min(from, to) / 2;
  const transition = edge * (1 - PASSBAND);
  const taps = Math.ceil((STOPBAND_DB - 8) / (2.285 * 2 * Math.PI * (transition / from))); // Kaiser's formula
  const cutoff = (edge - transition / 2) / from; // in cycles per input sample
  return Array.from({ length: up }, (_, phase) => phaseFilter(taps, cutoff, phase / up));
}

function phaseFilter(taps, cutoff, shift) {
  const centre = (taps - 1) / 2;
  const filter = Float64Array.from({ length: taps }, (_, tap) => {
    const time = tap + shift - centre;
    return sinc(2 * cutoff * time) * kaiser(time / (centre + 1));
  });
  const gain = filter.reduce((sum, value) => sum + value, 0); // 1 for each phase, or the phases hum
  return Float32Array.from(filter, (value) => value / gain);
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

const KAISER_BETA = 0.1102 * (STOPBAND_DB - 8.7);

function kaiser(x) {
  return Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);
}

/** The modified Bessel function I0, by its power series. */
function bessel(x) {
  let sum = 1;
  let term = 1;
  for (let n = 1; term > sum * 1e-12; n++) {
    term *= (x / 2 / n) ** 2;
    sum += term;
  }
  return sum;
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
