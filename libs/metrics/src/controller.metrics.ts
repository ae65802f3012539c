import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const RECONCILE_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Everything that the controller exposes. `run`, `job` and `crawl` are `namespace/name` of a resource that exists. `crawl` says the same as `job`,
 * by a name that Prometheus does not use itself: unless told to honour ours, it renames `job`.
 */
export class ControllerMetrics {
  readonly trainingLoss;
  readonly trainingStep;
  readonly trainingImages;
  readonly trainingStepSeconds;
  readonly trainingEtaSeconds;
  readonly trainingRunning;
  readonly trainingDiverged;
  readonly discriminatorAccuracy;
  readonly crawlImages;
  readonly crawlBytes;
  readonly crawlRequestSeconds;
  readonly prepareImages;
  readonly resources;
  readonly reconciles;
  readonly reconcileSeconds;
  readonly artifactBytes;
  readonly apiRequests;
  readonly watchRestarts;
  readonly leader;

  constructor(readonly registry: Registry, queueDepth: () => number) {
    const gauge = <L extends string>(name: string, help: string, labelNames: L[]) => new Gauge({ name, help, labelNames, registers: [registry] });
    const counter = <L extends string>(name: string, help: string, labelNames: L[]) => new Counter({ name, help, labelNames, registers: [registry] });
    this.trainingLoss = gauge('caricature_training_loss', 'The last reported value of each loss.', ['run', 'stage', 'loss']);
    this.trainingStep = gauge('caricature_training_step', 'Steps that a training stage has done.', ['run', 'stage']);
    this.trainingImages = counter('caricature_training_images_total', 'Images that a training stage has seen.', ['run', 'stage']);
    this.trainingStepSeconds = gauge('caricature_training_step_seconds', 'Seconds of the last reported step.', ['run', 'stage']);
    this.trainingEtaSeconds = gauge('caricature_training_eta_seconds', 'Seconds until the stage is expected to be done.', ['run', 'stage']);
    this.trainingRunning = gauge('caricature_training_running', '1 while a training stage runs, else 0.', ['run', 'stage']);
    this.trainingDiverged = gauge('caricature_training_diverged', '1 when the last attempt of a training stage ended with a loss or weight that is no number, else 0.', ['run', 'stage']);
    this.discriminatorAccuracy = gauge('caricature_discriminator_accuracy', 'Share of each class that the discriminator (or classifier) gets right.', ['run', 'class']);
    this.crawlImages = counter('caricature_crawl_images_total', 'Avatars crawled, by what became of them.', ['job', 'crawl', 'outcome']);
    this.crawlBytes = counter('caricature_crawl_bytes_total', 'Bytes of avatars crawled.', ['job', 'crawl']);
    this.crawlRequestSeconds = gauge('caricature_crawl_request_seconds', 'Mean seconds of a request to the avatar source.', ['job', 'crawl']);
    this.prepareImages = counter('caricature_prepare_images_total', 'Photos prepared, by what became of them.', ['run', 'outcome']);
    this.resources = gauge('caricature_resources', 'Resources that exist, by phase.', ['kind', 'phase']);
    this.reconciles = counter('caricature_reconcile_total', 'Rounds of reconciliation.', ['kind', 'result']);
    this.reconcileSeconds = new Histogram({ name: 'caricature_reconcile_seconds', help: 'Seconds of a round of reconciliation.', labelNames: ['kind'], buckets: RECONCILE_SECONDS, registers: [registry] });
    this.artifactBytes = counter('caricature_artifact_bytes_total', 'Bytes that this process read from and wrote to the artifact store.', ['op']);
    this.apiRequests = counter('caricature_api_requests_total', "Requests to the cluster's API server; code 0 is no answer.", ['verb', 'code']);
    this.watchRestarts = counter('caricature_watch_restarts_total', 'Watches of the API server that ended before their time, by why.', ['reason']);
    this.leader = gauge('caricature_leader', '1 on the replica that works on the resources, else 0; 1 where there is no cluster.', []);
    new Gauge({ name: 'caricature_reconcile_queue_depth', help: 'Resources waiting to be reconciled.', registers: [registry], collect() { this.set(queueDepth()); } });
  }

  /** Forgets what was last told of runs and crawls, so that it can be told anew without those that are gone. */
  resetReported(): void {
    const reported = [
      this.trainingLoss, this.trainingStep, this.trainingImages, this.trainingStepSeconds, this.trainingEtaSeconds, this.trainingRunning,
      this.trainingDiverged, this.discriminatorAccuracy,
      this.crawlImages, this.crawlBytes, this.crawlRequestSeconds, this.prepareImages, this.resources,
    ];
    for (const metric of reported) metric.reset();
  }
}
