import { RequestFailure, type Middleware } from '../request.js';

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Follows redirects; each hop passes the layers inside, so the host guard and robots.txt decide on each. */
export const redirect: Middleware = (next) => async (request) => {
  let { url } = request;
  for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
    const response = await next({ ...request, url });
    const location = response.headers['location'];
    if (!REDIRECTS.has(response.status) || location === undefined) return response;
    if (!URL.canParse(location, url)) throw new RequestFailure('refused', `${url} redirects to ${JSON.stringify(location)}, which is no URL`);
    url = new URL(location, url);
  }
  throw new RequestFailure('refused', `${request.url} redirects more than ${MAX_REDIRECTS} times`);
};
