import type { ReportItem } from '@caricature/contracts';
import { describe, expect, it } from 'vitest';
import { RequestTimes } from './request-times.js';

describe('the times of requests', () => {
  it('are told as their mean, once a second and at the end', () => {
    const told: ReportItem[] = [];
    let now = 5_000;
    const times = new RequestTimes((item) => told.push(item), () => now);
    times.add(0.2);
    times.add(0.4);
    times.tell(2);
    times.add(1);
    now += 999;
    times.tell(3);
    times.tell(4, true);
    times.tell(4, true);
    expect(told).toEqual([
      { type: 'metrics', step: 2, at: '1970-01-01T00:00:05.000Z', values: { requestSeconds: expect.closeTo(0.3) } },
      { type: 'metrics', step: 4, at: '1970-01-01T00:00:05.999Z', values: { requestSeconds: 1 } },
    ]);
  });
});
