import { RequestFailure, type Middleware } from '../request.js';
import type { Statistics } from '../statistics.js';

/** Told of every HTTP request, for `caricature_crawl_request_seconds`. */
export type RequestListener = (seconds: number, outcome: string) => void;

/** Counts requests, answers by status and bytes. */
export function statisticsOf(statistics: Statistics, onRequest: RequestListener = () => {}): Middleware {
  return (next) => async (request) => {
    const started = performance.now();
    const done = (outcome: string) => onRequest((performance.now() - started) / 1000, outcome);
    statistics.add('request/count');
    try {
      const response = await next(request);
      statistics.add(`response/status/${response.status}`);
      statistics.add('response/bytes', response.body.length);
      done(String(response.status));
      return response;
    } catch (error) {
      const outcome = error instanceof RequestFailure ? error.kind : (error as Error).name === 'TimeoutError' ? 'timeout' : 'aborted';
      statistics.add(`request/failed/${outcome}`);
      done(outcome);
      throw error;
    }
  };
}
