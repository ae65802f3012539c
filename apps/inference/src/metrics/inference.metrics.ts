import { createRegistry } from '@caricature/metrics';
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram } from 'prom-client';

const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIZES = [1, 2, 4, 8, 16, 32, 64];

/** What the server counts. `model` is name@alias of a model that is served, or `unknown`: never what a client made up. */
@Injectable()
export class InferenceMetrics {
  readonly registry = createRegistry();
  readonly requests = new Counter({
    name: 'caricature_inference_requests_total',
    help: 'Inference requests answered, by HTTP status code.',
    labelNames: ['model', 'code'],
    registers: [this.registry],
  });
  readonly seconds = new Histogram({
    name: 'caricature_inference_seconds',
    help: 'Seconds from the arrival of an inference request to its answer.',
    labelNames: ['model'],
    buckets: SECONDS,
    registers: [this.registry],
  });
  readonly batchSize = new Histogram({
    name: 'caricature_inference_batch_size',
    help: 'Faces drawn together in one run of a model.',
    labelNames: ['model'],
    buckets: SIZES,
    registers: [this.registry],
  });
  readonly queueDepth = new Gauge({
    name: 'caricature_inference_queue_depth',
    help: 'Inference requests waiting or in work.',
    registers: [this.registry],
  });
}
