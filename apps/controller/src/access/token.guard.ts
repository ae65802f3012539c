import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { Request } from 'express';
import { isLoopback, type ControllerEnv } from '../controller.env.js';
import { ControllerError } from '../controller.error.js';
import { CONTROLLER_ENV } from '../controller.tokens.js';
import { bearerOf, isSameSecret } from './bearer.js';

/** Probes and Prometheus need no token; workers' reports carry one of their own. */
const OPEN_PATHS = new Set(['/healthz', '/readyz', '/metrics', '/api/openapi.json', '/api/v1/reports']);

/** Lets a request in by its bearer token, where one is asked for; else only requests that were sent to this machine by its own name. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(@Inject(CONTROLLER_ENV) private readonly env: ControllerEnv) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Request>();
    if (OPEN_PATHS.has(request.path)) return true;
    if (this.env.apiToken === undefined) return this.checkHost(request);
    if (isSameSecret(bearerOf(request.headers.authorization), this.env.apiToken)) return true;
    throw new ControllerError('Unauthorized', 'A valid token is needed: send the header "Authorization: Bearer <CARICATURE_API_TOKEN of the controller>".');
  }

  /** A page elsewhere can have its own name resolve to 127.0.0.1 and so read from here through a visitor's browser. */
  private checkHost(request: Request): boolean {
    if (isLoopback(request.hostname.replace(/^\[|\]$/g, ''))) return true;
    throw new ControllerError('ForbiddenHost', 'Without CARICATURE_API_TOKEN only requests to 127.0.0.1 or localhost are answered: use that address, or set a token.');
  }
}
