import { describe, expect, it } from 'vitest';
import { Batch } from './batch.js';

describe('a batch', () => {
  it('is what came while the last one was at work', async () => {
    const batches: string[][] = [];
    const batch = new Batch<string>((items) => Promise.resolve(void batches.push(items)));
    await Promise.all(['a', 'b', 'c'].map((item) => batch.add(item)));
    await batch.add('d');
    expect(batches).toEqual([['a'], ['b', 'c'], ['d']]);
  });

  it('that fails is done one by one: each item fails only for itself', async () => {
    const dealtWith: string[] = [];
    const batch = new Batch<string>((items) => (items.includes('bad') ? Promise.reject(new Error('refused')) : Promise.resolve(void dealtWith.push(...items))));
    const outcomes = await Promise.allSettled(['a', 'b', 'bad', 'c'].map((item) => batch.add(item)));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    expect(dealtWith).toEqual(['a', 'b', 'c']);
  });
});
