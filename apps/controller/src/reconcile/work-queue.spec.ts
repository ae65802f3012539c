import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WorkQueue } from './work-queue.js';

const DAY_MS = 86_400_000;

describe('WorkQueue', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** A queue whose rounds want to be followed after as long as `again` says, and how many there were. */
  function aQueue(again: (round: number, queue: WorkQueue) => number | undefined) {
    const seen = { rounds: 0 };
    const queue: WorkQueue = new WorkQueue(() => Promise.resolve(again(++seen.rounds, queue)), 1, () => undefined);
    return { queue, seen };
  }

  it('lets a key wait for longer than a timer can', async () => {
    const { queue, seen } = aQueue(() => 30 * DAY_MS);
    queue.add('a');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.rounds).toBe(1);
    queue.stop();
  });

  it('works on a key that is asked for several times at the soonest, once', async () => {
    const { queue, seen } = aQueue(() => undefined);
    for (const ms of [5_000, 1_000, 60_000]) queue.addWithin('a', ms);
    await vi.advanceTimersByTimeAsync(999);
    expect(seen.rounds).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(seen.rounds).toBe(1);
    await vi.advanceTimersByTimeAsync(120_000);
    expect(seen.rounds).toBe(1);
  });

  it('takes a round for what was asked for later', async () => {
    const { queue, seen } = aQueue(() => undefined);
    queue.addWithin('a', 5_000);
    queue.add('a');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(seen.rounds).toBe(1);
  });

  it('keeps what is asked for while a round goes on, however late the round wants to be followed', async () => {
    const { queue, seen } = aQueue((round, own) => {
      if (round > 1) return undefined;
      own.addWithin('a', 1_000);
      return 60_000;
    });
    queue.add('a');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(seen.rounds).toBe(2);
  });
});
