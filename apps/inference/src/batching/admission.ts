import { Inject, Injectable } from '@nestjs/common';
import type { InferenceEnv } from '../inference.env.js';
import { InferenceError } from '../inference.error.js';
import { INFERENCE_ENV } from '../inference.tokens.js';
import { InferenceMetrics } from '../metrics/inference.metrics.js';

/** Bounds the requests held at once, so that a crowd gets 503 at once in place of a full memory and late answers. */
@Injectable()
export class Admission {
  private held = 0;

  constructor(
    @Inject(INFERENCE_ENV) private readonly env: InferenceEnv,
    private readonly metrics: InferenceMetrics,
  ) {}

  async admit<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.held >= this.env.MAX_QUEUE) {
      throw new InferenceError('QueueFull', `${this.held} requests are being worked on already; try again in a moment.`);
    }
    this.metrics.queueDepth.set((this.held += 1));
    try {
      return await work();
    } finally {
      this.metrics.queueDepth.set((this.held -= 1));
    }
  }
}
