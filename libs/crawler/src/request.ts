/** What the layers of the crawler pass to each other. */
export interface CrawlRequest {
  url: URL;
  accept: 'image' | 'json' | 'text';
  signal?: AbortSignal | undefined;
}

export interface CrawlResponse {
  url: URL;
  status: number;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Buffer;
}

export type Fetch = (request: CrawlRequest) => Promise<CrawlResponse>;
/** A layer around the next: one rule of politeness or safety. */
export type Middleware = (next: Fetch) => Fetch;

/** Layers around a transport, the first one outermost. */
export function compose(middlewares: readonly Middleware[], transport: Fetch): Fetch {
  return middlewares.reduceRight((next, middleware) => middleware(next), transport);
}

/**
 * network: no answer · timeout: none in time · throttled: 429 or 503 · status: 5xx · refused: another 4xx ·
 * wrongType: not a PNG · broken: a PNG cut short or damaged · tooLarge: beyond the limits · host: a host or address not allowed
 */
export type FailureKind = 'network' | 'timeout' | 'throttled' | 'status' | 'refused' | 'wrongType' | 'broken' | 'tooLarge' | 'host';

const RETRYABLE: ReadonlySet<FailureKind> = new Set(['network', 'timeout', 'throttled', 'status', 'wrongType', 'broken']);

/** One request failed; the crawl may go on. */
export class RequestFailure extends Error {
  readonly retryable: boolean;

  constructor(
    readonly kind: FailureKind,
    message: string,
    /** How long the server asked to wait. */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RequestFailure';
    this.retryable = RETRYABLE.has(kind);
  }
}
