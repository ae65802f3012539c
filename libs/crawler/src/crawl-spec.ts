/** What to crawl, by the names of `CrawlJob.spec`. */
export interface CrawlSpec {
  source: CrawlSource;
  sampling: { count: number; seed: number };
  image: { width: number; height: number };
  politeness: Politeness;
  output: { imagesPerShard: number };
}

/** One of several processes that share a crawl, from 0. */
export interface CrawlPart {
  index: number;
  of: number;
}

export interface CrawlSource {
  /** Where the API's paths begin; it may have a path of its own. */
  baseUrl: string;
  api: 'Legacy' | 'Current';
  /** Current API only. */
  library: string;
  /** Current API only. `both` takes turns. */
  gender: 'male' | 'female' | 'both';
  /** Legacy API only: expression and pose. */
  template?: string | undefined;
  /** Parameters of a call known to succeed, where discovery starts. */
  knownGood?: Record<string, number> | undefined;
  /** By default the API's own catalog. */
  catalog?: CatalogSource | undefined;
}

/** One of the three. `{gender}` in the URL stands for male or female. */
export interface CatalogSource {
  url?: string | undefined;
  inline?: unknown;
  discover?: Record<string, { from: number; to: number }> | undefined;
}

export interface Politeness {
  requestsPerSecond: number;
  concurrency: number;
  respectRobotsTxt: boolean;
  userAgent: string;
  maxRetries: number;
  timeoutSeconds: number;
}
