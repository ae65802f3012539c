import { RequestFailure, type Middleware } from '../request.js';

/** Turns an answer's status into a failure that says whether to try again and when. */
export function status(now: () => number = Date.now): Middleware {
  return (next) => async (request) => {
    const response = await next(request);
    if (response.status < 400) return response;
    // It may be a picture, of which a message shows what is legible.
    const said = response.body.subarray(0, 200).toString().split('\n')[0]?.replace(/\p{Cc}/gu, '').trim();
    const message = `${request.url} answers ${response.status}${said ? ` "${said}"` : ''}`;
    if (response.status === 429 || response.status === 503) {
      throw new RequestFailure('throttled', message, retryAfterMs(response.headers['retry-after'], now()));
    }
    throw new RequestFailure(response.status >= 500 || response.status === 408 ? 'status' : 'refused', message);
  };
}

/** Retry-After in seconds or as a date. */
function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
