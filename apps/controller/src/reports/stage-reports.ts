import type { ReportItem, ResourceOwner, StageAssignment, StageName } from '@caricature/contracts';
import type { JsonObject, StageReportRow } from '@caricature/database';
import { followHealth, type Observed, type StageReport } from '@caricature/reconciler';

/** What a stage told last. `counters` are totals of one attempt. */
export interface LatestReport extends StageReport {
  owner: ResourceOwner;
  stage: StageName;
  attempt: number;
  counters: Record<string, number>;
  /** How many rollbacks of the training there are points of. */
  rollbacks?: number;
}

const TRAINING_STAGES = new Set<StageName>(['pretrain', 'train']);

type Reporter = Pick<StageAssignment, 'owner' | 'stage' | 'attempt' | 'pace'>;

/**
 * The step from which a training that was rolled back does its steps again, by the first report with points of them. Which checkpoint it went
 * back to is known to the worker alone, but every step has its points. Undefined for other reports, so those of who only resumes it too.
 */
export function findRedoneFrom(before: LatestReport | undefined, { pace }: Reporter, items: ReportItem[]): number | undefined {
  const steps = items.flatMap((item) => (item.type === 'metrics' ? [item.step] : []));
  return rollbacksOf(pace) > (before?.rollbacks ?? 0) && steps.length > 0 ? Math.min(...steps) : undefined;
}

function rollbacksOf(pace: StageAssignment['pace']): number {
  return (pace['rollback'] as { times: number } | undefined)?.times ?? 0;
}

/** The last word of a stage after `items`. A new attempt forgets the failure of the one before, but not what was learned. */
export function withItems(before: LatestReport | undefined, reporter: Reporter, items: ReportItem[]): LatestReport {
  const { owner, stage, attempt, pace } = reporter;
  const known = before && before.attempt >= attempt ? before : undefined;
  const report: LatestReport = known ? { ...known } : { owner, stage, attempt, counters: {}, ...(before?.metrics ? { metrics: before.metrics } : {}), ...(before?.rollbacks ? { rollbacks: before.rollbacks } : {}) };
  if (findRedoneFrom(before, reporter, items) !== undefined) report.rollbacks = rollbacksOf(pace);
  for (const item of items) addItem(report, item);
  return report;
}

function addItem(report: LatestReport, item: ReportItem): void {
  if (item.type === 'progress') {
    const { step, totalSteps, etaSeconds } = item;
    report.progress = { step, totalSteps, ...(etaSeconds !== undefined ? { etaSeconds } : {}) };
  }
  if (item.type === 'metrics') {
    report.metrics = { ...report.metrics, ...item.values };
    if (TRAINING_STAGES.has(report.stage)) report.health = followHealth(report.health, item.step, item.values);
  }
  if (item.type === 'counters') {
    report.counters = { ...report.counters, ...item.values };
    report.metrics = { ...report.metrics, ...item.values };
  }
  if (item.type === 'failed') report.failure = item;
}

/** What planning for a resource looks at. */
export function observedReports(rows: StageReportRow[]): Observed['reports'] {
  const reports: Observed['reports'] = {};
  for (const { stage, attempt, progress, metrics, failure, health } of rows.map(fromRow)) {
    reports[stage] = { attempt, ...(progress ? { progress } : {}), ...(metrics ? { metrics } : {}), ...(failure ? { failure } : {}), ...(health ? { health } : {}) };
  }
  return reports;
}

export function fromRow(row: StageReportRow): LatestReport {
  return row.report as unknown as LatestReport;
}

export function toRow(report: LatestReport): Omit<StageReportRow, 'updatedAt'> {
  return { runUid: report.owner.uid, stage: report.stage, attempt: report.attempt, report: JSON.parse(JSON.stringify(report)) as JsonObject };
}
