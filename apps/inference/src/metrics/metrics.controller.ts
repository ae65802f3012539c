import { Controller, Get, Res } from '@nestjs/common';
import type { Response } from 'express';
import { InferenceMetrics } from './inference.metrics.js';

@Controller('metrics')
export class MetricsController {
  constructor(private readonly metrics: InferenceMetrics) {}

  @Get()
  async scrape(@Res() response: Response): Promise<void> {
    response.type(this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }
}
