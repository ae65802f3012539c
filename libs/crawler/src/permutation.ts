import { createHash } from 'node:crypto';

const ROUNDS = 8;

/**
 * A keyed permutation of [0, size): `permute(0), permute(1), …` visits every number once, in an order that only the key
 * decides, with nothing remembered. A balanced Feistel network over the next even power of two, applied again while the
 * result lies outside (cycle walking: at most four times on average).
 * @param size from 1 to 2^256
 * @throws RangeError for sizes and indices out of range
 */
export function createPermutation(size: bigint, key: string): (index: bigint) => bigint {
  if (size < 1n || size > 1n << 256n) throw new RangeError(`A permutation's size must be from 1 to 2^256, not ${size}.`);
  const halfBits = BigInt(Math.ceil((size - 1n).toString(2).length / 2));
  const mask = (1n << halfBits) - 1n;

  const scramble = (round: number, half: bigint): bigint => {
    const digest = createHash('sha256').update(`${key}\0${round}\0${half}`).digest('hex');
    return BigInt(`0x${digest}`) & mask;
  };

  const encrypt = (value: bigint): bigint => {
    let left = value >> halfBits;
    let right = value & mask;
    for (let round = 0; round < ROUNDS; round++) [left, right] = [right, left ^ scramble(round, right)];
    return (left << halfBits) | right;
  };

  return (index) => {
    if (index < 0n || index >= size) throw new RangeError(`Index ${index} is outside [0, ${size}).`);
    let value = encrypt(index);
    while (value >= size) value = encrypt(value);
    return value;
  };
}
