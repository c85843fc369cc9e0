/** Samples that wait to be played, in memory that is allocated once. PCM16 goes in, floats (-1 to 1) come out. */
export class RingBuffer {
  #samples;
  #first = 0;
  #length = 0;

  constructor(capacity) {
    this.#samples = new Int16Array(capacity);
  }

  get length() {
    return this.#length;
  }

  /** Appends as much of `pcm` as there is room for, and returns how much that was. */
  write(pcm) {
    const capacity = this.#samples.length;
    const count = Math.min(pcm.length, capacity - this.#length);
    const start = (this.#first + this.#length) % capacity;
    const straight = Math.min(count, capacity - start);
    this.#samples.set(pcm.subarray(0, straight), start);
    this.#samples.set(pcm.subarray(straight, count), 0);
    this.#length += count;
    return count;
  }

  /** Moves up to `target.length` of the oldest samples into `target`, and returns how many. */
  read(target) {
    const capacity = this.#samples.length;
    const count = Math.min(target.length, this.#length);
    for (let i = 0; i < count; i++) target[i] = this.#samples[(this.#first + i) % capacity] / 0x8000;
    this.#first = (this.#first + count) % capacity;
    this.#length -= count;
    return count;
  }

  /** Forgets the `count` newest samples. */
  dropNewest(count) {
    this.#length -= Math.min(count, this.#length);
  }
}
