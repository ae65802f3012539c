import { setTimeout as sleep } from 'node:timers/promises';
import { RequestFailure, type Middleware } from '../request.js';
import type { Statistics } from '../statistics.js';

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;

export interface RetryOptions {
  maxRetries: number;
  statistics: Statistics;
  /** From 0 to 1, for the jitter. */
  random?: () => number;
}

/**
 * Tries again what may succeed later. Waits twice as long each time, with jitter so that workers do not return together;
 * where the server said when (Retry-After), the throttle already holds back all requests until then.
 */
export function retry({ maxRetries, statistics, random = Math.random }: RetryOptions): Middleware {
  return (next) => async (request) => {
    for (let attempt = 0; ; attempt++) {
      try {
        return await next(request);
      } catch (error) {
        if (!(error instanceof RequestFailure) || !error.retryable || attempt === maxRetries) throw error;
        statistics.add('retry/count');
        statistics.add(`retry/reason/${error.kind}`);
        const backoffMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** attempt);
        const delayMs = error.retryAfterMs === undefined ? backoffMs * (0.5 + random() / 2) : random() * 50;
        await sleep(delayMs, undefined, request.signal ? { signal: request.signal } : {});
      }
    }
  };
}
