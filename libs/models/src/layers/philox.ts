const ROUNDS = 10;
const MULTIPLIERS = [0xd2511f53, 0xcd9e8d57] as const;
const KEY_STEPS = [0x9e3779b9, 0xbb67ae85] as const;
/** What TensorFlow mixes the seeds of its stateless kernels with. */
const MIXING_KEY: Key = [0x3ec8f720, 0x02461e29];

type Counter = [number, number, number, number];
type Key = [number, number];

/**
 * The numbers in [0, 1) that TensorFlow's kernel StatelessRandomUniform draws for two seeds, bit for bit: where that kernel is not at hand, dropout has
 * the same masks.
 */
export function philoxUniform(count: number, [first, second]: [number, number]): Float32Array {
  // As TensorFlow takes its int32 seeds: extended to 64 bits by their sign.
  const mixed = philox([first | 0, first >> 31, second | 0, second >> 31], MIXING_KEY);
  const key: Key = [mixed[0], mixed[1]];
  const values = new Float32Array(count);
  for (let start = 0; start < count; start += 4) {
    const words = philox([start / 4, 0, mixed[2], mixed[3]], key);
    for (let k = 0; k < 4 && start + k < count; k++) values[start + k] = (words[k]! & 0x7fffff) / 0x800000;
  }
  return values;
}

/** Philox 4×32 (Salmon et al., Parallel random numbers: as easy as 1, 2, 3, 2011). */
function philox(counter: Counter, key: Key): Counter {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    [a, b, c, d] = [multiplyHigh(MULTIPLIERS[1], c) ^ b ^ k0, Math.imul(MULTIPLIERS[1], c), multiplyHigh(MULTIPLIERS[0], a) ^ d ^ k1, Math.imul(MULTIPLIERS[0], a)];
    k0 = (k0 + KEY_STEPS[0]) | 0;
    k1 = (k1 + KEY_STEPS[1]) | 0;
  }
  return [a, b, c, d];
}

/** The upper half of the 64-bit product of two unsigned 32-bit integers, as its 32 bits. */
function multiplyHigh(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000);
  const carried = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)) | 0;
}
