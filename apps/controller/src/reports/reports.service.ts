import { Inject, Injectable } from '@nestjs/common';
import type { Report, ReportItem, StageAssignment } from '@caricature/contracts';
import type { Database, JsonObject, MetricPoint, Repositories } from '@caricature/database';
import type { ResourceKey } from '@caricature/reconciler';
import { ControllerError } from '../controller.error.js';
import { DATABASE, RECONCILER, WORKER_ACCESS } from '../controller.tokens.js';
import { LiveFeed } from './live-feed.js';
import { StageReports } from './stage-reports.js';

/** Knows which stage a worker's token was given to. */
export interface WorkerAccess {
  authenticate(job: string, token: string): Promise<StageAssignment | undefined>;
}

/** Takes in what workers tell: each report once, whole, and only from the worker of that stage. */
@Injectable()
export class ReportsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(WORKER_ACCESS) private readonly access: WorkerAccess,
    @Inject(RECONCILER) private readonly reconciler: { enqueue(key: ResourceKey): void },
    @Inject(StageReports) private readonly latest: StageReports,
    @Inject(LiveFeed) private readonly feed: LiveFeed,
  ) {}

  async accept(report: Report, token: string): Promise<{ applied: boolean }> {
    const assignment = await this.access.authenticate(report.job, token);
    if (assignment?.stage !== report.stage) {
      throw new ControllerError('Unauthorized', `The token is not that of job ${report.job}, stage ${report.stage}: a worker sends the token that it was started with.`);
    }
    const { owner, stage } = assignment;
    const applied = await this.database.reports.apply(`${owner.uid}/${report.job}`, report.sequence, (tx) => persist(tx, assignment, report.items));
    if (!applied) return { applied };
    for (const item of report.items) {
      this.latest.record(assignment, item);
      this.feed.publish(owner.uid, stage, item);
    }
    this.reconciler.enqueue({ kind: owner.kind, namespace: owner.namespace, name: owner.name });
    return { applied };
  }
}

async function persist(tx: Repositories, assignment: StageAssignment, items: ReportItem[]): Promise<void> {
  const points = items.flatMap(toPoints);
  if (points.length > 0) await tx.metrics.insertMany(assignment.owner.uid, assignment.stage, points);
  for (const item of items) {
    if (item.type === 'sample') await tx.samples.record({ runUid: assignment.owner.uid, step: item.step, uri: item.uri });
    if (item.type === 'artifact') await recordArtifact(tx, assignment, item);
    if (item.type === 'failed') await changeAttempt(tx, assignment, { state: 'Failed', message: item.message });
  }
}

function toPoints(item: ReportItem): MetricPoint[] {
  if (item.type !== 'metrics') return [];
  return Object.entries(item.values).map(([name, value]) => ({ name, value, step: item.step, at: new Date(item.at) }));
}

async function recordArtifact(tx: Repositories, assignment: StageAssignment, item: Extract<ReportItem, { type: 'artifact' }>): Promise<void> {
  // An artifact of a store that is older than this database may come from one that it never heard of: better no edge than no artifact.
  const known = await Promise.all(item.from.map(async (digest) => ((await tx.artifacts.findByDigest(digest)) ? [digest] : [])));
  await tx.artifacts.record({
    digest: item.digest,
    stage: assignment.stage,
    key: assignment.key,
    uri: item.uri,
    bytes: item.bytes,
    metadata: item.metadata as JsonObject,
    from: known.flat(),
  });
  await changeAttempt(tx, assignment, { artifactDigest: item.digest });
}

/** The loop writes an attempt down once its process is started, so a quick worker's report may come first. */
async function changeAttempt(tx: Repositories, { owner, stage, attempt, key }: StageAssignment, change: { state?: string; message?: string; artifactDigest?: string }): Promise<void> {
  const isKnown = (await tx.stages.list(owner.uid)).some((row) => row.stage === stage && row.attempt === attempt);
  await tx.stages.record({ runUid: owner.uid, stage, attempt, ...(isKnown ? {} : { state: 'Running', key }), ...change });
}
