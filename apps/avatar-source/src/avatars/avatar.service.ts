import { createHash } from 'node:crypto';
import { AVATAR_LICENCES, chooseOptions, drawAvatar, libraryOf, type AvatarRequest } from '@caricature/portraits';
import { AvatarCache } from './avatar.cache.js';
import type { AvatarQuery } from './avatar.query.js';

// Raised when avatars are drawn differently, so that no client keeps the old picture.
const DRAWING_VERSION = 1;

export interface AvatarAnswer {
  readonly etag: string;
  readonly licence: string;
  /** Draws, or takes what was drawn; not called when the client has it. */
  readonly png: () => Buffer;
}

export class AvatarService {
  private readonly cache: AvatarCache;

  constructor(cacheBytes: number) {
    this.cache = new AvatarCache(cacheBytes);
  }

  /** Throws PortraitsError for a request that cannot be drawn. */
  answer(request: AvatarRequest, { width, height }: AvatarQuery): AvatarAnswer {
    const values = chooseOptions(request).map((option) => option.value);
    const subject = 'template' in request ? request.template : `${request.library}/${request.gender}`;
    const key = [DRAWING_VERSION, subject, ...values, width, height].join(' ');
    return {
      etag: etagOf(key),
      licence: AVATAR_LICENCES[libraryOf(request)].licence,
      png: () => this.cache.find(key) ?? this.draw(key, request, width, height),
    };
  }

  private draw(key: string, request: AvatarRequest, width: number, height: number): Buffer {
    const png = drawAvatar(request, width, height);
    this.cache.add(key, png);
    return png;
  }
}

/** Strong: the same text always stands for the same bytes. */
export function etagOf(text: string): string {
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}
