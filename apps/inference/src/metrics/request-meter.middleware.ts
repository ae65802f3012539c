import { Injectable } from '@nestjs/common';
import type { NestMiddleware } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { InferenceMetrics } from './inference.metrics.js';

const CLIENT_LEFT = '499';

/** Counts and times inference requests; handlers leave the model's name in `response.locals.model`. */
@Injectable()
export class RequestMeter implements NestMiddleware {
  constructor(private readonly metrics: InferenceMetrics) {}

  use(_request: Request, response: Response, next: NextFunction): void {
    const started = performance.now();
    response.once('close', () => {
      const model = (response.locals['model'] as string | undefined) ?? 'unknown';
      const code = response.writableFinished ? String(response.statusCode) : CLIENT_LEFT;
      this.metrics.requests.inc({ model, code });
      this.metrics.seconds.observe({ model }, (performance.now() - started) / 1000);
    });
    next();
  }
}
