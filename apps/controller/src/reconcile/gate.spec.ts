import { describe, expect, it } from 'vitest';
import { Gate } from './gate.js';

describe('a gate', () => {
  const anEnd = () => Promise.withResolvers<void>();
  const soon = () => new Promise((resolve) => setImmediate(resolve));

  it('lets many through side by side', async () => {
    const gate = new Gate();
    const [first, second] = [anEnd(), anEnd()];
    const seen: string[] = [];
    const both = [gate.pass(() => (seen.push('first'), first.promise)), gate.pass(() => (seen.push('second'), second.promise))];
    expect(seen).toEqual(['first', 'second']);
    [first, second].forEach(({ resolve }) => resolve());
    await Promise.all(both);
  });

  it('lets one be alone: it waits for those inside, and those who come later wait for it', async () => {
    const gate = new Gate();
    const [inside, alone] = [anEnd(), anEnd()];
    const seen: string[] = [];
    const all = [
      gate.pass(() => inside.promise),
      gate.alone(() => (seen.push('alone'), alone.promise)),
      gate.alone(async () => void seen.push('alone after it')),
      gate.pass(async () => void seen.push('later')),
    ];
    await soon();
    expect(seen).toEqual([]);
    inside.resolve();
    await soon();
    expect(seen).toEqual(['alone']);
    alone.resolve();
    await Promise.all(all);
    expect([...seen].sort()).toEqual(['alone', 'alone after it', 'later']);
  });

  it('opens again after work that fails', async () => {
    const gate = new Gate();
    await expect(gate.alone(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(gate.pass(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await gate.alone(() => Promise.resolve(1))).toBe(1);
  });
});
