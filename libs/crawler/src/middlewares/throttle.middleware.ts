import { setTimeout as sleep } from 'node:timers/promises';
import { CrawlError } from '../crawl.error.js';
import { RequestFailure, type Middleware } from '../request.js';

/** A server that asks for longer is asked again by a later run, not by this one. */
const MAX_RETRY_AFTER_MS = 10 * 60_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** How much of a second's requests may go at once after a pause. */
const BURST_SECONDS = 0.1;

/** A token bucket for all requests of a crawl, which a server's Retry-After empties and a Crawl-delay slows. */
export class Throttle {
  private intervalMs: number;
  private nextMs = 0;

  /**
   * @param parts processes that share the rate: each takes that part of it
   * @param now a clock in milliseconds
   */
  constructor(
    requestsPerSecond: number,
    private readonly parts = 1,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.intervalMs = (1000 / requestsPerSecond) * parts;
  }

  /** At least this long from one request to the next, whichever process makes it. */
  slowDown(intervalMs: number): void {
    this.intervalMs = Math.max(this.intervalMs, intervalMs * this.parts);
  }

  /** No request for so long. */
  pause(ms: number): void {
    this.nextMs = Math.max(this.nextMs, this.now() + ms);
  }

  /** Takes the next token: how long to wait for it. */
  takeMs(): number {
    const now = this.now();
    const burstMs = Math.max(0, BURST_SECONDS * 1000 - this.intervalMs);
    const atMs = Math.max(this.nextMs, now - burstMs);
    this.nextMs = atMs + this.intervalMs;
    return Math.max(0, atMs - now);
  }

  readonly middleware: Middleware = (next) => async (request) => {
    const waitMs = this.takeMs();
    if (waitMs > 0) await sleep(waitMs, undefined, request.signal ? { signal: request.signal } : {});
    try {
      return await next(request);
    } catch (error) {
      if (!(error instanceof RequestFailure) || error.retryAfterMs === undefined) throw error;
      if (error.retryAfterMs > MAX_RETRY_AFTER_MS) throw wantsToBeLeftAlone(request.url.origin, error.retryAfterMs, error);
      this.pause(error.retryAfterMs);
      throw error;
    }
  };
}

function wantsToBeLeftAlone(origin: string, ms: number, cause: RequestFailure): CrawlError {
  const message = `The avatar source ${origin} wants to be left alone for ${inWords(ms)} (${cause.message}). Let it, then run again: the images fetched so far are kept.`;
  return new CrawlError('SourceFailing', message, { cause });
}

function inWords(ms: number): string {
  if (ms <= 2 * HOUR_MS) return `${Math.ceil(ms / MINUTE_MS)} minutes`;
  return ms <= 2 * DAY_MS ? `${Math.ceil(ms / HOUR_MS)} hours` : `${Math.ceil(ms / DAY_MS)} days`;
}
