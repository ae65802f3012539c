import { expect } from 'vitest';

const TOLERANCE = 1e-4;

/**
 * Every value is that of the reference to 1e-4, absolutely, or relatively where it is above 1.
 * @param parts sizes of the named parts that the values begin with, so that a failure names where it is
 */
export function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, parts: Record<string, number> = {}): void {
  expect(found.length).toBe(wanted.length);
  const wrong = Array.from(wanted, (value, i) => ({ i, found: found[i]!, wanted: value })).filter((v) => !(Math.abs(v.found - v.wanted) <= TOLERANCE * Math.max(1, Math.abs(v.wanted))));
  const [first] = wrong;
  const message = first && `${wrong.length} of ${wanted.length} values differ, the first in ${partOf(first.i, parts)}: ${first.found}, the reference has ${first.wanted}`;
  expect(wrong.length, message).toBe(0);
}

function partOf(index: number, parts: Record<string, number>): string {
  let start = 0;
  for (const [name, size] of Object.entries(parts)) {
    if (index < start + size) return `${name} at ${index - start}`;
    start += size;
  }
  return `the rest at ${index - start}`;
}
