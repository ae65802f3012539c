import type { LookupFunction } from 'node:net';
import type { CrawlPart, CrawlSpec } from './crawl-spec.js';
import { circuitBreaker } from './middlewares/circuit-breaker.middleware.js';
import { contentCheck } from './middlewares/content-check.middleware.js';
import { createGuardedLookup, hostGuard, type HostGuardOptions } from './middlewares/host-guard.middleware.js';
import { redirect } from './middlewares/redirect.middleware.js';
import { retry } from './middlewares/retry.middleware.js';
import { robots } from './middlewares/robots.middleware.js';
import { statisticsOf, type RequestListener } from './middlewares/statistics.middleware.js';
import { status } from './middlewares/status.middleware.js';
import { Throttle } from './middlewares/throttle.middleware.js';
import { timeout } from './middlewares/timeout.middleware.js';
import { compose, type Fetch } from './request.js';
import { Statistics } from './statistics.js';
import { createTransport } from './transport.js';

/** A dead source shows when every worker has tried so often. */
const ATTEMPTS_A_WORKER = 5;
const MIN_BREAKER_LIMIT = 20;

export interface FetcherOptions {
  /** Host names, or `*.suffix`, that may lead to internal addresses: the operator's setting, not the resource's. */
  internalHosts?: readonly string[] | undefined;
  /** DNS, by default the system's. */
  lookup?: LookupFunction | undefined;
  onRequest?: RequestListener | undefined;
  /** Several processes together keep to what the resource allows: each takes its share of the rate and of the connections. */
  part?: CrawlPart | undefined;
}

/** Everything between the crawl and the network. */
export interface Fetcher {
  fetch: Fetch;
  statistics: Statistics;
  concurrency: number;
  close(): Promise<void>;
}

/** Stacks the layers for one resource: outermost first, each rule in its own file. */
export function createFetcher({ source, politeness }: Pick<CrawlSpec, 'source' | 'politeness'>, options: FetcherOptions = {}): Fetcher {
  const { baseUrl, catalog } = source;
  const { userAgent, maxRetries, requestsPerSecond, respectRobotsTxt, timeoutSeconds } = politeness;
  const parts = options.part?.of ?? 1;
  const concurrency = Math.max(1, Math.floor(politeness.concurrency / parts));
  const named = [baseUrl, ...(catalog?.url ? [catalog.url] : [])].map((url) => new URL(url));
  const guard: HostGuardOptions = {
    named,
    ...(options.internalHosts ? { internalHosts: options.internalHosts } : {}),
    ...(options.lookup ? { lookup: options.lookup } : {}),
  };
  const statistics = new Statistics();
  const throttle = new Throttle(requestsPerSecond, parts);
  const transport = createTransport({ userAgent, connections: concurrency, lookup: createGuardedLookup(guard) });

  const sent = compose([throttle.middleware, timeout(timeoutSeconds * 1000), status(), statisticsOf(statistics, options.onRequest)], transport.fetch);
  const robotsTxt = robots({ userAgent, fetch: compose([redirect, hostGuard(guard)], sent), onCrawlDelay: (seconds) => throttle.slowDown(seconds * 1000) });
  const polite = respectRobotsTxt ? [robotsTxt] : [];
  const breaker = circuitBreaker({ baseUrl, limit: Math.max(MIN_BREAKER_LIMIT, ATTEMPTS_A_WORKER * concurrency) });
  const fetch = compose([retry({ maxRetries, statistics }), breaker, contentCheck, redirect, hostGuard(guard), ...polite], sent);
  return { fetch, statistics, concurrency, close: transport.close };
}
