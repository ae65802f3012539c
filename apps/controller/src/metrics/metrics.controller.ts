import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ControllerMetrics } from '@caricature/metrics';
import type { ResourceStore } from '@caricature/reconciler';
import { RESOURCE_STORE } from '../controller.tokens.js';
import { StageReports } from '../reports/stage-reports.js';
import { exposeReports, exposeResources } from './reported-metrics.js';

@Controller('metrics')
export class MetricsController {
  constructor(
    @Inject(ControllerMetrics) private readonly metrics: ControllerMetrics,
    @Inject(StageReports) private readonly reports: StageReports,
    @Inject(RESOURCE_STORE) private readonly resources: ResourceStore,
  ) {}

  @Get()
  async scrape(@Res() response: Response) {
    const existing = (await Promise.all([this.resources.list('CrawlJob'), this.resources.list('TrainingRun')])).flat();
    this.reports.retain(new Set(existing.map(({ metadata }) => metadata.uid)));
    exposeReports(this.reports.all(), this.metrics);
    exposeResources(existing, this.metrics);
    response.set('Content-Type', this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }
}
