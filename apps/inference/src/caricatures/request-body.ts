import type { IncomingMessage } from 'node:http';
import { PhotoError } from '@caricature/faces';

/** The whole body of a request; throws PhotoError `TooLarge` as soon as it is known to exceed the limit. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): PhotoError {
  return new PhotoError('TooLarge', `The request's body is larger than the ${maxBytes / 1024 / 1024} MB allowed; send a smaller one.`);
}
