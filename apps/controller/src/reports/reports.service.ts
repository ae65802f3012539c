import { Inject, Injectable } from '@nestjs/common';
import type { Report, ReportItem, StageAssignment } from '@caricature/contracts';
import type { Database, JsonObject, JsonValue, MetricPoint, Repositories } from '@caricature/database';
import { ControllerError } from '../controller.error.js';
import { DATABASE, WORKER_ACCESS } from '../controller.tokens.js';
import { findRedoneFrom, fromRow, toRow, withItems, type LatestReport } from './stage-reports.js';

/** Who a worker is: the stage that it was started for, and which of the processes that were. */
export interface Worker {
  assignment: StageAssignment;
  /** Reports are counted by it: a pod that replaces another starts anew. */
  id: string;
}

/** Knows which stage a worker's token was given to. */
export interface WorkerAccess {
  authenticate(job: string, token: string): Promise<Worker | undefined>;
}

/**
 * Takes in what workers tell: each report once, whole, and only from the worker of that stage. Everything goes through Postgres, so any
 * replica may take a report, and all hear of it.
 */
@Injectable()
export class ReportsService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(WORKER_ACCESS) private readonly access: WorkerAccess,
  ) {}

  async accept(report: Report, token: string): Promise<{ applied: boolean }> {
    const worker = await this.access.authenticate(report.job, token);
    if (worker?.assignment.stage !== report.stage) {
      throw new ControllerError('Unauthorized', `The token is not that of job ${report.job}, stage ${report.stage}: a worker sends the token that it was started with.`);
    }
    const applied = await this.database.reports.apply(`${worker.assignment.owner.uid}/${worker.id}`, report.sequence, (tx) => persist(tx, worker.assignment, report.items));
    return { applied };
  }
}

async function persist(tx: Repositories, assignment: StageAssignment, items: ReportItem[]): Promise<void> {
  const before = await saveLatest(tx, assignment, items);
  const redoneFrom = findRedoneFrom(before, assignment, items);
  // Points that are known would stay as they are.
  if (redoneFrom !== undefined) await tx.metrics.forgetFrom(assignment.owner.uid, assignment.stage, redoneFrom);
  const points = items.flatMap(toPoints);
  if (points.length > 0) await tx.metrics.insertMany(assignment.owner.uid, assignment.stage, points);
  for (const item of items) {
    if (item.type === 'sample') await tx.samples.record({ runUid: assignment.owner.uid, step: item.step, uri: item.uri, digest: item.digest });
    if (item.type === 'artifact') await recordArtifact(tx, assignment, item);
    if (item.type === 'failed') await changeAttempt(tx, assignment, { state: 'Failed', message: item.message });
  }
}

/** Gives what was the latest before. @throws ControllerError `Superseded` when a newer attempt was begun: what an older one still does counts no more */
async function saveLatest(tx: Repositories, assignment: StageAssignment, items: ReportItem[]): Promise<LatestReport | undefined> {
  const { owner, stage, attempt } = assignment;
  const row = await tx.stageReports.findForUpdate(owner.uid, stage);
  const newest = Math.max(row?.attempt ?? 0, (await tx.stages.findLatest(owner.uid, stage))?.attempt ?? 0);
  if (newest > attempt) throw new ControllerError('Superseded', `Attempt ${attempt} of stage ${stage} was followed by attempt ${newest}: this worker should end.`);
  const before = row && fromRow(row);
  const report = withItems(before, assignment, items);
  await tx.stageReports.save(toRow(report), { owner: { ...owner }, stage, items: JSON.parse(JSON.stringify(items)) as JsonValue });
  return before;
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
