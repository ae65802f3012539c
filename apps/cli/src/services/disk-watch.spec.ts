import { expect, it } from 'vitest';
import { watchDisk } from './disk-watch.js';

it('says once that a disk is full, once that there is room again, and nothing of a disk with room', async () => {
  const notes: string[] = [];
  let free = 2 ** 30;
  let looks = 0;
  const looked = (count: number) => expect.poll(() => looks, { timeout: 10_000 }).toBeGreaterThan(count);
  const stop = watchDisk('/data', (line) => notes.push(line), { everyMs: 1, freeBytes: async () => (looks++, free) });
  await looked(2);
  expect(notes).toEqual([]);
  free = 0;
  await looked(looks + 3);
  expect(notes).toEqual([expect.stringMatching(/^the disk of \/data is full: make room on it, or choose another place with --home/)]);
  free = 2 ** 30;
  await looked(looks + 3);
  expect(notes.slice(1)).toEqual(['there is room on the disk of /data again']);
  stop();
});
