import type { NextFunction, Request, Response } from 'express';

type Spoil = (argument: string, request: Request, response: Response, next: NextFunction) => void;

const HTML = '<!doctype html><title>Sorry</title><p>We will be back soon.';

/** What each fault does to a render request, whose URL has already lost its fault prefix. */
const FAULTS: Readonly<Record<string, Spoil>> = {
  'too-many-requests': (seconds, _request, response) => {
    response.set('Retry-After', seconds).status(429).type('text/plain').send('slow down\n');
  },
  error: (status, _request, response) => {
    const code = Number(status);
    response.status(code >= 400 && code <= 599 ? code : 500).type('text/plain').send('something broke\n');
  },
  slow: (ms, _request, response, next) => {
    const timer = setTimeout(next, Number(ms) || 0);
    response.once('close', () => clearTimeout(timer));
  },
  truncated: (percent, _request, response, next) => {
    replaceBody(response, (png) => response.end(partOf(png, percent)));
    next();
  },
  cut: (percent, _request, response, next) => {
    replaceBody(response, (png) => {
      response.set('Content-Length', String(png.length));
      response.write(partOf(png, percent), () => response.destroy());
    });
    next();
  },
  'wrong-type': (claim, _request, response) => {
    response.status(200).set('Content-Type', claim === 'image' ? 'image/png' : 'text/html; charset=utf-8').end(HTML);
  },
  redirect: (target, request, response) => {
    response.redirect(302, `${target === 'same' ? '' : target}${request.url}`);
  },
};

/**
 * `/faults/{fault}/{argument}/{every}/{path}` answers as `/{path}`, but every `every`-th render request is spoiled.
 * The prefix can be a crawler's base URL. An unknown fault is left to the router's 404.
 */
export function createFaultMiddleware(): (request: Request, response: Response, next: NextFunction) => void {
  const counts = new Map<string, number>();
  return (request, response, next) => {
    const match = /^\/faults\/([\w-]+)\/([^/]+)\/([1-9]\d*)(\/.*)$/.exec(request.url);
    const spoil = match && Object.hasOwn(FAULTS, match[1]!) ? FAULTS[match[1]!] : undefined;
    if (!match || !spoil) return next();
    const [, fault, argument, every, rest] = match as unknown as [string, string, string, string, string];
    request.url = rest;
    if (!rest.includes('/render/')) return next();
    const key = `${fault}/${argument}/${every}`;
    const count = (counts.get(key) ?? 0) + 1;
    counts.set(key, count);
    if (count % Number(every) === 0) spoil(decoded(argument), request, response, next);
    else next();
  };
}

/** Sends something else instead of the drawn PNG; refusals in text pass unspoiled. */
function replaceBody(response: Response, sendInstead: (png: Buffer) => void): void {
  const send = response.send.bind(response);
  response.send = (body: unknown) => {
    if (!Buffer.isBuffer(body)) return send(body);
    sendInstead(body);
    return response;
  };
}

function partOf(png: Buffer, percent: string): Buffer {
  return png.subarray(0, Math.floor((png.length * Math.min(100, Number(percent) || 0)) / 100));
}

/** The argument as written where its escapes are malformed. */
function decoded(argument: string): string {
  try {
    return decodeURIComponent(argument);
  } catch {
    return argument;
  }
}
