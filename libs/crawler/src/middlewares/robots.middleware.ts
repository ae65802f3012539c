import { CrawlError } from '../crawl.error.js';
import { RequestFailure, type Fetch, type Middleware } from '../request.js';
import { disallowingRule, parseRobotsTxt, type RobotsRules } from '../robots-txt.js';

/** A source that allows fewer requests is not made for being crawled: a thousand avatars would take a day. */
const MAX_CRAWL_DELAY_SECONDS = 60;

export interface RobotsOptions {
  userAgent: string;
  /** How robots.txt itself is fetched: guarded and slowed like all else. */
  fetch: Fetch;
  onCrawlDelay: (seconds: number) => void;
}

/**
 * Asks each host's robots.txt once and ends the crawl at a path it disallows, or at a Crawl-delay that would take days. A
 * robots.txt that is missing allows all; one that cannot be had now (5xx, no answer) allows nothing yet, as RFC 9309 asks:
 * the request fails and may be tried again.
 */
export function robots({ userAgent, fetch, onCrawlDelay }: RobotsOptions): Middleware {
  const known = new Map<string, Promise<RobotsRules>>();

  const load = async (origin: string, signal: AbortSignal | undefined): Promise<RobotsRules> => {
    try {
      const { status, body } = await fetch({ url: new URL('/robots.txt', origin), accept: 'text', signal });
      const rules = parseRobotsTxt(status === 200 ? body.toString() : '', userAgent);
      const { crawlDelaySeconds = 0 } = rules;
      if (crawlDelaySeconds > MAX_CRAWL_DELAY_SECONDS) throw tooSlow(origin, crawlDelaySeconds);
      if (crawlDelaySeconds > 0) onCrawlDelay(crawlDelaySeconds);
      return rules;
    } catch (error) {
      if (error instanceof RequestFailure && error.kind === 'refused') return parseRobotsTxt('', userAgent);
      known.delete(origin);
      throw error;
    }
  };

  return (next) => async (request) => {
    const { origin, pathname, search } = request.url;
    if (!known.has(origin)) known.set(origin, load(origin, request.signal));
    const rule = disallowingRule(await known.get(origin)!, pathname + search);
    if (rule === undefined) return next(request);
    throw new CrawlError(
      'RobotsDisallowed',
      `${origin}/robots.txt disallows ${pathname} (rule ${JSON.stringify(rule)}) to ${userAgent}. Crawl another source; set politeness.respectRobotsTxt: false only for a site of your own.`,
    );
  };
}

function tooSlow(origin: string, seconds: number): CrawlError {
  return new CrawlError(
    'RobotsDisallowed',
    `${origin}/robots.txt asks for ${seconds} s between requests (Crawl-delay), more than the ${MAX_CRAWL_DELAY_SECONDS} s that a crawl waits. Crawl another source; set politeness.respectRobotsTxt: false only for a site of your own.`,
  );
}
