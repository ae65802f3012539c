import { createFaceDetector } from '@caricature/faces';
import { Module } from '@nestjs/common';
import type { DynamicModule, MiddlewareConsumer, NestModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { TokenGuard } from './access/token.guard.js';
import { Admission } from './batching/admission.js';
import { CaricatureService } from './caricatures/caricature.service.js';
import { CaricaturesController } from './caricatures/caricatures.controller.js';
import { HealthController } from './health/health.controller.js';
import type { InferenceEnv } from './inference.env.js';
import { CARICATURIST_LOADER, FACE_DETECTOR, INFERENCE_ENV, MODEL_REGISTRY } from './inference.tokens.js';
import { InferenceMetrics } from './metrics/inference.metrics.js';
import { MetricsController } from './metrics/metrics.controller.js';
import { RequestMeter } from './metrics/request-meter.middleware.js';
import { HttpModelRegistry } from './models/http-model.registry.js';
import { ModelStore } from './models/model.store.js';
import { loadPublishedModel } from './models/published-model.js';
import { ProblemFilter } from './problems/problem.filter.js';
import { ProtocolController } from './protocol/protocol.controller.js';

/** The inference server: photos in, caricatures of the published model out. */
@Module({})
export class InferenceModule implements NestModule {
  static of(env: InferenceEnv): DynamicModule {
    const registry = new HttpModelRegistry({
      controllerUrl: env.CONTROLLER_URL,
      token: env.CONTROLLER_TOKEN,
      artifactsUri: env.ARTIFACTS_URI,
      cacheDir: env.MODELS_CACHE,
    });
    return {
      module: InferenceModule,
      controllers: [CaricaturesController, HealthController, MetricsController, ProtocolController],
      providers: [
        { provide: INFERENCE_ENV, useValue: env },
        { provide: MODEL_REGISTRY, useValue: registry },
        { provide: CARICATURIST_LOADER, useValue: loadPublishedModel },
        { provide: FACE_DETECTOR, useFactory: () => createFaceDetector() },
        { provide: APP_GUARD, useClass: TokenGuard },
        { provide: APP_FILTER, useClass: ProblemFilter },
        Admission,
        CaricatureService,
        InferenceMetrics,
        ModelStore,
      ],
    };
  }

  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(RequestMeter).forRoutes('v1/caricatures', 'v2/models/:model/infer');
  }
}
