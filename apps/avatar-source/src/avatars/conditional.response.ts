import type { Request, Response } from 'express';

const ONE_DAY = 'public, max-age=86400';

/** Sends the body with its ETag, or 304 without making it when the client already has it. */
export function sendConditionally(request: Request, response: Response, etag: string, type: string, body: () => Buffer | string): void {
  response.set({ ETag: etag, 'Cache-Control': ONE_DAY });
  const held = (request.get('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (held.includes(etag) || held.includes('*')) response.status(304).end();
  else response.type(type).send(body());
}
