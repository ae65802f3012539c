import { describe, expect, it } from 'vitest';
import { Batcher } from './batcher.js';

function aBatcher(maxBatch = 4) {
  const batches: number[][] = [];
  const batcher = new Batcher<number, number>({
    maxBatch,
    delayMs: 1,
    run: async (items) => {
      batches.push(items);
      if (items.includes(13)) throw new Error('unlucky');
      return items.map((item) => item * 2);
    },
  });
  return { batcher, batches };
}

describe('a batcher', () => {
  it('runs together what comes together, and gives each its own result', async () => {
    const { batcher, batches } = aBatcher();
    expect(await Promise.all([1, 2, 3].map((item) => batcher.submit(item)))).toEqual([2, 4, 6]);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it('never runs more together than allowed', async () => {
    const { batcher, batches } = aBatcher();
    await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9].map((item) => batcher.submit(item)));
    expect(batches.map((batch) => batch.length)).toEqual([4, 4, 1]);
  });

  it('fails a batch as a whole and carries on with the next', async () => {
    const { batcher } = aBatcher(2);
    const results = await Promise.allSettled([13, 1, 2].map((item) => batcher.submit(item)));
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await batcher.submit(5)).toBe(10);
  });
});
