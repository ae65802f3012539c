/** The whole state of a `Random`: four unsigned 32-bit words. */
export type RandomState = [number, number, number, number];

/**
 * A seeded random generator (sfc32) whose state can be saved: the same numbers on every machine and Node version, which
 * `Math.random` and a tensor library's own generators do not promise.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  /** @param seeds integers that together name the stream, such as a run's seed and a step */
  constructor(...seeds: number[]) {
    this.a = 0x9e3779b9;
    this.b = 0x243f6a88;
    this.c = 0xb7e15162;
    this.counter = 1;
    for (const seed of seeds) this.absorb(seed);
  }

  static fromState(state: RandomState): Random {
    const random = new Random();
    [random.a, random.b, random.c, random.counter] = state;
    return random;
  }

  get state(): RandomState {
    return [this.a >>> 0, this.b >>> 0, this.c >>> 0, this.counter >>> 0];
  }

  /** The next unsigned 32-bit integer. */
  uint32(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = ((this.c << 21) | (this.c >>> 11)) + sum;
    this.c |= 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  uniform(): number {
    return this.uint32() / 4_294_967_296;
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** An integer in [0, count). */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** A number of mean 0 and variance 1 (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** The integers 0 … count−1 in random order (Fisher and Yates). */
  permutation(count: number): Int32Array {
    const order = Int32Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const kept = order[i]!;
      order[i] = order[j]!;
      order[j] = kept;
    }
    return order;
  }

  private absorb(seed: number): void {
    this.a ^= seed | 0;
    this.b ^= Math.floor(seed / 4_294_967_296) | 0;
    for (let i = 0; i < 12; i++) this.uint32();
  }
}
