import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import type { StageAssignment } from '@caricature/contracts';
import { KeptLog } from './kept-log.js';

const assignment = { owner: { uid: 'u' }, job: 'faces-train-1' } as StageAssignment;

describe("a worker's log", () => {
  it('is passed on, and kept by attempt and machine', async () => {
    const passed: string[] = [];
    const stream = { write: (text: string) => passed.push(text) > 0 };
    const log = new KeptLog([stream]);
    stream.write('one\n');
    stream.write('two\n');
    const objects: Record<string, string> = {};
    await log.keep({ put: (name, content) => Promise.resolve({ sha256: '', bytes: (objects[name] = String(content)).length }) }, assignment);
    expect(passed).toEqual(['one\n', 'two\n']);
    expect(objects).toEqual({ [`logs/u/faces-train-1/${hostname()}.txt`]: 'one\ntwo\n' });
  });

  it('of any length takes a bounded place, and its end is what is kept', () => {
    const stream = { write: (_text: string) => true };
    const log = new KeptLog([stream]);
    for (let i = 0; i < 40_000; i++) stream.write(`${String(i).padStart(99, ' ')}\n`);
    expect(log.text.length).toBeLessThanOrEqual(2 ** 20);
    expect(log.text.endsWith('39999\n')).toBe(true);
  });

  it('is let go where it cannot be kept', async () => {
    await new KeptLog([]).keep({ put: () => Promise.reject(new Error('the store is away')) }, assignment);
  });
});
