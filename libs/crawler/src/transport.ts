import { Agent, errors, request as send } from 'undici';
import type { LookupFunction } from 'node:net';
import { HostGuardError } from './middlewares/host-guard.middleware.js';
import { RequestFailure, type CrawlRequest, type CrawlResponse, type Fetch } from './request.js';

/** No answer of an avatar API is larger; what is, is not read to its end. */
export const MAX_BODY_BYTES = 16 * 1024 * 1024;

const ACCEPT = { image: 'image/png', json: 'application/json', text: 'text/plain, */*;q=0.1' };

export interface Transport {
  fetch: Fetch;
  close(): Promise<void>;
}

/** Sends requests with undici over kept connections; every name is looked up through the guard's own lookup. */
export function createTransport(options: { userAgent: string; connections: number; lookup: LookupFunction }): Transport {
  const dispatcher = new Agent({ connections: options.connections, allowH2: false, connect: { lookup: options.lookup, timeout: 30_000 } });
  const fetch = async (request: CrawlRequest): Promise<CrawlResponse> => {
    try {
      const headers = { 'user-agent': options.userAgent, accept: ACCEPT[request.accept] };
      const answer = await send(request.url, { dispatcher, headers, signal: request.signal ?? null, headersTimeout: 0, bodyTimeout: 0 });
      const body = await readBody(answer.body, request.url);
      return { url: request.url, status: answer.statusCode, headers: flatten(answer.headers), body };
    } catch (error) {
      if (request.signal?.aborted) throw request.signal.reason;
      throw toFailure(error, request.url);
    }
  };
  return { fetch, close: () => dispatcher.destroy() };
}

async function readBody(body: AsyncIterable<Buffer>, url: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new RequestFailure('tooLarge', `${url} answers with more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(Array.isArray(value) ? value[0] : value)]));
}

function toFailure(error: unknown, url: URL): RequestFailure {
  if (error instanceof RequestFailure) return error;
  if (error instanceof HostGuardError) return new RequestFailure('host', error.message, undefined, { cause: error });
  const { code, message } = error as NodeJS.ErrnoException;
  const kind = error instanceof errors.ConnectTimeoutError ? 'timeout' : 'network';
  return new RequestFailure(kind, `${url.origin}: ${code ?? 'no connection'} (${message || 'connection failed'})`, undefined, { cause: error });
}
