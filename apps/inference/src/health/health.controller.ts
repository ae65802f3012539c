import { Controller, Get, Query } from '@nestjs/common';
import { InferenceError } from '../inference.error.js';
import { ModelStore } from '../models/model.store.js';

@Controller()
export class HealthController {
  constructor(private readonly models: ModelStore) {}

  @Get(['healthz', 'v2/health/live'])
  live(): { live: true } {
    return { live: true };
  }

  /** Ready once the default model is loaded: a pod without one gets no requests. With `?empty=allowed` also while none is published. */
  @Get(['readyz', 'v2/health/ready'])
  async ready(@Query('empty') empty?: string): Promise<{ ready: true }> {
    await this.models.getModel().catch((cause: Error) => {
      if (empty === 'allowed' && cause instanceof InferenceError && cause.code === 'ModelNotFound') return;
      throw new InferenceError('ModelUnavailable', `No model is served yet: ${cause.message}`, { cause });
    });
    return { ready: true };
  }
}
