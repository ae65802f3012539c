import { createHash, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { InferenceError } from '../inference.error.js';
import { INFERENCE_ENV } from '../inference.tokens.js';
import type { InferenceEnv } from '../inference.env.js';

const OPEN_PATHS = new Set(['/healthz', '/readyz', '/metrics', '/v2/health/live', '/v2/health/ready']);

/** Lets a request in by its bearer token, where one is asked for; probes and Prometheus need none. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(@Inject(INFERENCE_ENV) private readonly env: InferenceEnv) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    const wanted = this.env.API_TOKEN;
    if (wanted === undefined || OPEN_PATHS.has(request.path)) return true;
    if (sameSecret(request.headers.authorization ?? '', `Bearer ${wanted}`)) return true;
    throw new InferenceError('Unauthorized', 'A valid token is needed; send the header "Authorization: Bearer <API_TOKEN of the server>".');
  }
}

/** Compares digests: their equal length lets the time taken tell nothing of the secret. */
function sameSecret(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
