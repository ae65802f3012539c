import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { Response } from 'express';
import { ControllerMetrics } from '@caricature/metrics';
import type { Database } from '@caricature/database';
import { DATABASE } from '../controller.tokens.js';
import { Operation } from '../reconcile/operation.js';
import { fromRow } from '../reports/stage-reports.js';
import { exposeReports, exposeResources } from './reported-metrics.js';

/** A stage that has been silent for so long is no longer told of: there may be very many. */
const TOLD_FOR_MS = 24 * 3_600_000;

@Controller('metrics')
export class MetricsController {
  constructor(
    @Inject(ControllerMetrics) private readonly metrics: ControllerMetrics,
    @Inject(Operation) private readonly operation: Operation,
    @Inject(DATABASE) private readonly database: Database,
  ) {}

  @Get()
  async scrape(@Res() response: Response) {
    // Of several replicas one tells of runs and crawls: the one that works on them.
    const { all, unfinishedRuns } = await this.operation.census();
    const uids = new Set(all.map(({ uid }) => uid));
    const reports = all.length > 0 ? await this.database.stageReports.listSince(new Date(Date.now() - TOLD_FOR_MS)) : [];
    exposeReports(reports.filter(({ runUid }) => uids.has(runUid)).map(fromRow), this.metrics);
    exposeResources(all, unfinishedRuns, this.metrics);
    response.set('Content-Type', this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }
}
