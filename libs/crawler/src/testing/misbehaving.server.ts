import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import sharp from 'sharp';
import type { CrawlOptions } from '../crawl.js';

/** Answers a request in place of the server, or says false. `n` counts the requests for pictures, from 1. */
export type Fault = (request: IncomingMessage, response: ServerResponse, n: number) => boolean | Promise<boolean>;

/** A small avatar source of both API shapes, and whatever faults a test asks for. */
export interface MisbehavingServer {
  baseUrl: string;
  /** Path and query of every request. */
  asked: string[];
  robotsTxt: string;
  fault: Fault;
  catalog: Record<string, number[]>;
  stop(): Promise<void>;
}

export async function startMisbehavingServer(port = 0): Promise<MisbehavingServer> {
  let pictures = 0;
  const state: Omit<MisbehavingServer, 'baseUrl' | 'stop'> = {
    asked: [],
    robotsTxt: '',
    fault: () => false,
    catalog: { hair: [-1, 1288, 1290, 1295], glasses: [-1, 1650], skin: [1500, 1501, 1502, 1503, 1504], face: [2100, 2101, 2102] },
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://server');
    state.asked.push(url.pathname + url.search);
    if (url.pathname === '/robots.txt') return void response.setHeader('content-type', 'text/plain').end(state.robotsTxt);
    if (url.pathname.includes('/render/') && (await state.fault(request, response, ++pictures))) return;
    await answer(url, response, state.catalog);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return Object.assign(state, { baseUrl, stop });
}

async function answer(url: URL, response: ServerResponse, catalog: Record<string, number[]>): Promise<void> {
  const current = /^\/v2\/render\/bitmoji\/(male|female)\.png$/.exec(url.pathname);
  if (url.pathname === '/legacy/catalog.json' || /^\/v2\/catalog\/(male|female)\.json$/.test(url.pathname)) {
    const categories = Object.entries(catalog).map(([key, values]) => ({ key, options: values.map((value) => ({ value })) }));
    const body = url.pathname.startsWith('/legacy') ? { categories } : { bitmoji: { categories } };
    return void response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  }
  if (!current && url.pathname !== '/legacy/render/smile.png') return void response.writeHead(404).end('no such path');
  for (const [key, values] of Object.entries(catalog)) {
    if (!values.includes(Number(url.searchParams.get(key)))) return void response.writeHead(404).end(`no such option: ${key}=${url.searchParams.get(key)}`);
  }
  response.setHeader('content-type', 'image/png').end(await drawing(url));
}

/** A picture that its URL alone decides. */
export function drawing(url: URL): Promise<Buffer> {
  const pixels = createHash('sha512').update(url.pathname + url.search).digest().subarray(0, 48);
  return sharp(pixels, { raw: { width: 4, height: 4, channels: 3 } }).png().toBuffer();
}

/** Options of a small, quick crawl of the server into a folder. */
export function aCrawl(server: { baseUrl: string }, dir: string, changes: Partial<CrawlOptions> = {}): CrawlOptions {
  return {
    source: { baseUrl: server.baseUrl, api: 'Current', library: 'bitmoji', gender: 'both' },
    sampling: { count: 25, seed: 7 },
    image: { width: 64, height: 64 },
    politeness: { requestsPerSecond: 5000, concurrency: 4, respectRobotsTxt: true, userAgent: 'caricature-crawler/0.1', maxRetries: 3, timeoutSeconds: 5 },
    output: { imagesPerShard: 10 },
    dir,
    ...changes,
  };
}
