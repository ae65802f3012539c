import { CrawlError } from '../crawl.error.js';
import { RequestFailure, type Middleware } from '../request.js';

/** Ends the crawl when so many attempts in a row, of all workers together, got no answer from the network. */
export function circuitBreaker({ baseUrl, limit }: { baseUrl: string; limit: number }): Middleware {
  let inARow = 0;
  return (next) => async (request) => {
    try {
      const response = await next(request);
      inARow = 0;
      return response;
    } catch (error) {
      const silent = error instanceof RequestFailure && error.kind === 'network';
      inARow = silent ? inARow + 1 : 0;
      if (inARow >= limit) throw sourceUnreachable(baseUrl, `${inARow} requests in a row failed, the last with ${(error as Error).message}`);
      throw error;
    }
  };
}

/** The one message for a source that does not answer. */
export function sourceUnreachable(baseUrl: string, reason: string): CrawlError {
  return new CrawlError(
    'SourceUnreachable',
    `The avatar source ${baseUrl} cannot be reached: ${reason}. Start it, or correct source.baseUrl, and run again: the images fetched so far are kept.`,
  );
}
