import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import type { ArtifactStore } from '@caricature/artifacts';
import type { Database } from '@caricature/database';
import { ControllerMetrics } from '@caricature/metrics';
import { TokenGuard } from './access/token.guard.js';
import { ArtifactsController } from './artifacts/artifacts.controller.js';
import { ArtifactsService } from './artifacts/artifacts.service.js';
import type { ControllerEnv } from './controller.env.js';
import { ARTIFACT_STORE, CONTROLLER_ENV, DATABASE, PLATFORM, WORKER_ACCESS } from './controller.tokens.js';
import { HealthController } from './health/health.controller.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { ModelsController } from './models/models.controller.js';
import { ModelsService } from './models/models.service.js';
import { OpenApiController } from './openapi/openapi.controller.js';
import { ProblemFilter } from './problems/problem.filter.js';
import type { Platform } from './platform/platform.js';
import { Operation } from './reconcile/operation.js';
import { LiveFeed } from './reports/live-feed.js';
import { ReportsController } from './reports/reports.controller.js';
import { ReportsService } from './reports/reports.service.js';
import { ResourcesController } from './resources/resources.controller.js';
import { ResourcesService } from './resources/resources.service.js';
import { RunsController } from './runs/runs.controller.js';
import { RunsService } from './runs/runs.service.js';

/** What the API stands on. */
export interface ControllerParts {
  env: ControllerEnv;
  database: Database;
  artifacts: ArtifactStore;
  platform: Platform;
  operation: Operation;
  feed: LiveFeed;
  metrics: ControllerMetrics;
}

/** The operator's HTTP API. */
@Module({})
export class ControllerModule {
  static of({ env, database, artifacts, platform, operation, feed, metrics }: ControllerParts): DynamicModule {
    return {
      module: ControllerModule,
      controllers: [ArtifactsController, HealthController, MetricsController, ModelsController, OpenApiController, ReportsController, ResourcesController, RunsController],
      providers: [
        { provide: CONTROLLER_ENV, useValue: env },
        { provide: DATABASE, useValue: database },
        { provide: ARTIFACT_STORE, useValue: artifacts },
        { provide: PLATFORM, useValue: platform },
        { provide: WORKER_ACCESS, useValue: platform.access },
        { provide: Operation, useValue: operation },
        { provide: LiveFeed, useValue: feed },
        { provide: ControllerMetrics, useValue: metrics },
        { provide: APP_GUARD, useClass: TokenGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        ArtifactsService,
        ModelsService,
        ReportsService,
        ResourcesService,
        RunsService,
      ],
    };
  }
}
