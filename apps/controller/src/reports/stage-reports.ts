import type { ReportItem, ResourceOwner, StageAssignment, StageName } from '@caricature/contracts';
import type { Database } from '@caricature/database';
import type { Observed, Resource, StageReport } from '@caricature/reconciler';

/** What a stage told last. `counters` are totals of one attempt. */
export interface LatestReport extends StageReport {
  owner: ResourceOwner;
  stage: StageName;
  attempt: number;
  counters: Record<string, number>;
}

type Reporter = Pick<StageAssignment, 'owner' | 'stage' | 'attempt'>;

/**
 * The last word of every stage, for the reconcile loop and Prometheus. It is kept in memory: workers repeat progress within a second,
 * series and failures are in Postgres.
 */
export class StageReports {
  private readonly byOwner = new Map<string, Map<StageName, LatestReport>>();

  record(reporter: Reporter, item: ReportItem): void {
    const report = this.reportOf(reporter);
    if (item.type === 'progress') {
      const { step, totalSteps, etaSeconds } = item;
      report.progress = { step, totalSteps, ...(etaSeconds !== undefined ? { etaSeconds } : {}) };
    }
    if (item.type === 'metrics') report.metrics = { ...report.metrics, ...item.values };
    if (item.type === 'counters') {
      report.counters = { ...report.counters, ...item.values };
      report.metrics = { ...report.metrics, ...item.values };
    }
    if (item.type === 'failed') report.failure = item;
  }

  /** What planning for a resource looks at. */
  of(uid: string): Observed['reports'] {
    const reports: Observed['reports'] = {};
    for (const [stage, { progress, metrics, failure }] of this.byOwner.get(uid) ?? []) {
      reports[stage] = { ...(progress ? { progress } : {}), ...(metrics ? { metrics } : {}), ...(failure ? { failure } : {}) };
    }
    return reports;
  }

  all(): LatestReport[] {
    return [...this.byOwner.values()].flatMap((stages) => [...stages.values()]);
  }

  /** Forgets every owner but these. */
  retain(uids: Set<string>): void {
    for (const uid of this.byOwner.keys()) if (!uids.has(uid)) this.byOwner.delete(uid);
  }

  /** After a restart: the last values of every unfinished resource's series. */
  async restore(resources: Resource[], database: Database): Promise<void> {
    for (const { kind, metadata, status } of resources) {
      if (status?.phase === 'Succeeded' || status?.phase === 'Failed') continue;
      const owner = { kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid };
      for (const { stage, name, value } of await database.metrics.latest(metadata.uid)) {
        const attempt = status?.stages.find((s) => s.name === stage)?.attempts ?? 1;
        const report = this.reportOf({ owner, stage: stage as StageName, attempt });
        report.metrics = { [name]: value, ...report.metrics };
      }
    }
  }

  private reportOf({ owner, stage, attempt }: Reporter): LatestReport {
    const stages = this.byOwner.get(owner.uid) ?? new Map<StageName, LatestReport>();
    this.byOwner.set(owner.uid, stages);
    const known = stages.get(stage);
    if (known && known.attempt >= attempt) return known;
    const report: LatestReport = { owner, stage, attempt, counters: {}, ...(known?.metrics ? { metrics: known.metrics } : {}) };
    stages.set(stage, report);
    return report;
  }
}
