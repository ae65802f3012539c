import { CrawlError } from '../crawl.error.js';
import { RequestFailure, type Fetch, type Middleware } from '../request.js';
import { disallowingRule, parseRobotsTxt, type RobotsRules } from '../robots-txt.js';

export interface RobotsOptions {
  userAgent: string;
  /** How robots.txt itself is fetched: guarded and slowed like all else. */
  fetch: Fetch;
  onCrawlDelay: (seconds: number) => void;
}

/**
 * Asks each host's robots.txt once and ends the crawl at a path it disallows. A robots.txt that is missing allows all;
 * one that cannot be had now (5xx, no answer) allows nothing yet, as RFC 9309 asks: the request fails and may be tried again.
 */
export function robots({ userAgent, fetch, onCrawlDelay }: RobotsOptions): Middleware {
  const known = new Map<string, Promise<RobotsRules>>();

  const load = async (origin: string, signal: AbortSignal | undefined): Promise<RobotsRules> => {
    try {
      const { status, body } = await fetch({ url: new URL('/robots.txt', origin), accept: 'text', signal });
      const rules = parseRobotsTxt(status === 200 ? body.toString() : '', userAgent);
      if (rules.crawlDelaySeconds !== undefined) onCrawlDelay(rules.crawlDelaySeconds);
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
