import { describe, expect, it } from 'vitest';
import { createPermutation } from './permutation.js';

describe('createPermutation', () => {
  it.each([1n, 2n, 3n, 4n, 5n, 16n, 17n, 100n, 1000n, 4097n])('visits each of %s numbers once', (size) => {
    const permute = createPermutation(size, 'key');
    const visited = new Set(Array.from({ length: Number(size) }, (_, i) => permute(BigInt(i))));
    expect(visited.size).toBe(Number(size));
    for (const value of visited) expect(value >= 0n && value < size).toBe(true);
  });

  it('takes another order for another key, and the same for the same', () => {
    const order = (key: string) => Array.from({ length: 50 }, (_, i) => createPermutation(1000n, key)(BigInt(i)));
    expect(order('1')).toEqual(order('1'));
    expect(order('1')).not.toEqual(order('2'));
  });

  it.each([3_826_521_578_880n, 10n ** 30n, 10n ** 40n])('spreads evenly over all of %s numbers without repeats', (size) => {
    const permute = createPermutation(size, 'seed');
    const values = Array.from({ length: 4000 }, (_, i) => permute(BigInt(i)));
    expect(new Set(values).size).toBe(4000);
    const tenths = Array<number>(10).fill(0);
    for (const value of values) tenths[Number((value * 10n) / size)]!++;
    for (const tenth of tenths) expect(Math.abs(tenth - 400)).toBeLessThan(120); // 6 standard deviations
  });

  it('refuses sizes and indices out of range', () => {
    expect(() => createPermutation(0n, '')).toThrow(RangeError);
    expect(() => createPermutation((1n << 256n) + 1n, '')).toThrow(RangeError);
    expect(() => createPermutation(5n, '')(5n)).toThrow(RangeError);
    expect(() => createPermutation(5n, '')(-1n)).toThrow(RangeError);
  });
});
