import { IMAGES_PER_SECOND, seriesOf, STEP_SECONDS, type ControllerMetrics } from '@caricature/metrics';
import type { Resource, ResourceSummary } from '@caricature/reconciler';
import type { LatestReport } from '../reports/stage-reports.js';

/** Series that one stage may have at Prometheus: their names come from workers. */
const MOST_SERIES = 64;
const DIVERGED = 'TRAINING_DIVERGED';
const TRAINING_STAGES = new Set(['pretrain', 'train']);
const PHASES = ['Pending', 'Running', 'Suspended', 'Succeeded', 'Failed'];
const CRAWL_OUTCOMES: Record<string, string> = { images: 'saved', duplicates: 'duplicate', failed: 'failed' };

/** Tells Prometheus what the workers told last. */
export function exposeReports(reports: LatestReport[], metrics: ControllerMetrics): void {
  metrics.resetReported();
  for (const report of reports) {
    const resource = `${report.owner.namespace}/${report.owner.name}`;
    if (report.owner.kind === 'CrawlJob') exposeCrawl(resource, report, metrics);
    else if (report.stage.startsWith('prepare-')) exposePreparation(resource, report, metrics);
    else exposeTraining(resource, report, metrics);
  }
}

/**
 * Tells Prometheus how the resources stand; to be called after `exposeReports`, which forgets what was told before. Finished runs, of which there
 * may be very many, have no series of their own.
 */
export function exposeResources(all: ResourceSummary[], unfinishedRuns: Resource[], metrics: ControllerMetrics): void {
  for (const kind of ['CrawlJob', 'TrainingRun']) for (const phase of PHASES) metrics.resources.set({ kind, phase }, 0);
  for (const { kind, phase } of all) metrics.resources.inc({ kind, phase });
  for (const { metadata, status } of unfinishedRuns) {
    for (const { name, state } of status?.stages ?? []) {
      if (!TRAINING_STAGES.has(name)) continue;
      metrics.trainingRunning.set({ run: `${metadata.namespace}/${metadata.name}`, stage: name }, state === 'Running' ? 1 : 0);
    }
  }
}

function exposeCrawl(job: string, { counters, metrics: values = {} }: LatestReport, metrics: ControllerMetrics): void {
  for (const [name, outcome] of Object.entries(CRAWL_OUTCOMES)) metrics.crawlImages.inc({ job, crawl: job, outcome }, countOf(counters[name]));
  metrics.crawlBytes.inc({ job, crawl: job }, countOf(counters['bytes']));
  if (values['requestSeconds'] !== undefined) metrics.crawlRequestSeconds.set({ job, crawl: job }, values['requestSeconds']);
}

function exposePreparation(run: string, { counters }: LatestReport, metrics: ControllerMetrics): void {
  for (const [outcome, count] of Object.entries(counters).slice(0, MOST_SERIES)) metrics.prepareImages.inc({ run, outcome }, countOf(count));
}

function exposeTraining(run: string, { stage, progress, counters, failure, metrics: values = {} }: LatestReport, metrics: ControllerMetrics): void {
  if (progress) metrics.trainingStep.set({ run, stage }, progress.step);
  if (progress?.etaSeconds !== undefined) metrics.trainingEtaSeconds.set({ run, stage }, progress.etaSeconds);
  // A step's images and its duration are told as a speed: together they give the size of a batch.
  const batchSize = Math.round((values[IMAGES_PER_SECOND] ?? 0) * (values[STEP_SECONDS] ?? 0));
  if (batchSize > 0 && progress) metrics.trainingImages.inc({ run, stage }, batchSize * progress.step);
  if (!TRAINING_STAGES.has(stage)) return;
  metrics.trainingDiverged.set({ run, stage }, failure?.code === DIVERGED ? 1 : 0);
  const series = Object.entries(values).filter(([name]) => !(name in counters));
  for (const [name, value] of series.slice(0, MOST_SERIES)) {
    const told = seriesOf(name);
    if (told.kind === 'loss') metrics.trainingLoss.set({ run, stage, loss: told.loss }, value);
    if (told.kind === 'accuracy') metrics.discriminatorAccuracy.set({ run, class: told.class }, value);
    if (told.kind === 'stepSeconds') metrics.trainingStepSeconds.set({ run, stage }, value);
  }
}

/** A counter refuses what is below nought, and a worker may send anything. */
function countOf(value: number | undefined): number {
  return Math.max(0, value ?? 0);
}
