import { describe, expect, it } from 'vitest';
import { RequestFailure } from '../request.js';
import { Throttle } from './throttle.middleware.js';

function aThrottle(requestsPerSecond: number, parts = 1) {
  const clock = { ms: 10_000 };
  return { clock, throttle: new Throttle(requestsPerSecond, parts, () => clock.ms) };
}

describe('Throttle', () => {
  it('gives so many tokens a second', () => {
    const { throttle } = aThrottle(4);
    expect([1, 2, 3, 4, 5].map(() => throttle.takeMs())).toEqual([0, 250, 500, 750, 1000]);
  });

  it('lets a tenth of a second’s requests go at once after a pause, not more', () => {
    const { throttle } = aThrottle(50);
    expect(Array.from({ length: 7 }, () => throttle.takeMs()).filter((ms) => ms === 0)).toHaveLength(5);
  });

  it('holds all requests back for as long as a server asks', async () => {
    const { throttle, clock } = aThrottle(4);
    const fetch = throttle.middleware(() => Promise.reject(new RequestFailure('throttled', 'busy', 30_000)));
    await expect(fetch({ url: new URL('http://a/'), accept: 'image' })).rejects.toThrow('busy');
    expect(throttle.takeMs()).toBe(30_000);
    clock.ms += 31_000;
    expect(throttle.takeMs()).toBe(0);
  });

  it.each([[30 * 60, '30 minutes'], [7201, '3 hours'], [40 * 86_400, '40 days']])('ends the crawl, and holds nothing back, where a server asks for %i s', async (seconds, words) => {
    const { throttle } = aThrottle(4);
    const fetch = throttle.middleware(() => Promise.reject(new RequestFailure('throttled', 'http://a/ answers 429', seconds * 1000)));
    await expect(fetch({ url: new URL('http://a/x'), accept: 'image' })).rejects.toMatchObject({ code: 'SourceFailing', retryable: true, message: expect.stringContaining(`http://a wants to be left alone for ${words} (http://a/ answers 429)`) });
    expect(throttle.takeMs()).toBeLessThan(1000);
  });

  it('slows to a Crawl-delay, and is not hurried by a shorter one', () => {
    const { throttle } = aThrottle(4);
    throttle.slowDown(2000);
    throttle.slowDown(10);
    expect([1, 2, 3].map(() => throttle.takeMs())).toEqual([0, 2000, 4000]);
  });

  it('of several processes gives each its part of the rate, and of a Crawl-delay', () => {
    const { throttle } = aThrottle(4, 3);
    expect([1, 2, 3].map(() => throttle.takeMs())).toEqual([0, 750, 1500]);
    throttle.slowDown(2000);
    expect([1, 2].map(() => throttle.takeMs())).toEqual([2250, 8250]);
  });
});
