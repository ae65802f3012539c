import {
  crawlStages, trainingStages,
  type ArtifactRef, type Reason, type StageAssignment, type StageConfig, type StageDefinition, type StageName, type StageStatus,
} from '@caricature/contracts';
import { findIllness } from './health.js';
import type { JobObservation, Observed, Obstacle, Resource, ResourceEvent } from './ports.js';
import { jobName, stageKey } from './stage-key.js';

/** What has to be done now. */
export type Action =
  | { type: 'createJob'; assignment: StageAssignment }
  | { type: 'stopJob'; job: string }
  | { type: 'recordEvent'; event: ResourceEvent }
  | { type: 'publishModel'; artifact: ArtifactRef; alias: string; model: string }
  | { type: 'forgetJobs' }
  | { type: 'removeArtifacts' }
  | { type: 'addFinalizer' }
  | { type: 'removeFinalizer' }
  | { type: 'delete' };

export interface StagesPlan {
  stages: StageStatus[];
  actions: Action[];
  /** Set when the whole resource has failed. */
  failure?: { reason: Reason; message: string };
  /** Set while nothing can be done but wait for another resource. */
  waiting?: string;
  /** What keeps a stage from starting, with the stage's name in its message. */
  obstacle?: Obstacle;
  retryAtMs?: number;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;
const MOST_ROLLBACKS = 3;
const ROLLED_BACK_STEPS = 100;

interface ResolvedStage {
  name: StageName;
  needs: StageName[];
  config: StageConfig;
  pace: StageConfig;
}

/** The resource's stages with their configuration resolved. */
export function resolvedStages(resource: Resource): ResolvedStage[] {
  const resolve = <S>(stages: StageDefinition<S>[], spec: S) => stages.map((s) => ({ name: s.name, needs: s.needs, config: s.config(spec), pace: s.pace?.(spec) ?? {} }));
  return resource.kind === 'CrawlJob' ? resolve(crawlStages(resource.spec), resource.spec) : resolve(trainingStages(resource.spec), resource.spec);
}

/** The artifacts' keys that can be named by now and are not known yet: what gathering must look up before planning. */
export function keysToLookUp(resource: Resource, observed: Observed): string[] {
  const known = finishedStages(resource);
  const keys: string[] = [];
  for (const stage of resolvedStages(resource)) {
    if (known[stage.name]) continue;
    const inputs = gatherInputs(stage.needs, known, observed);
    if (!inputs.ready) continue;
    const key = stageKey(stage.name, stage.config, digests(stage.name, inputs.ready, observed));
    const artifact = observed.artifacts[key];
    if (artifact) known[stage.name] = artifact;
    else keys.push(key);
  }
  return keys;
}

/** Walks the stages in their order; each one that can start does, so that independent ones run side by side. */
export function planStages(resource: Resource, observed: Observed, nowMs: number): StagesPlan {
  const plan: StagesPlan = { stages: [], actions: [] };
  const finished = finishedStages(resource);
  for (const stage of resolvedStages(resource)) {
    const before = resource.status?.stages.find((s) => s.name === stage.name);
    if (before && finished[stage.name]) {
      plan.stages.push(before);
      continue;
    }
    const jobs = observed.jobs.filter((j) => j.stage === stage.name).sort((a, b) => a.attempt - b.attempt);
    const inputs = gatherInputs(stage.needs, finished, observed);
    const status = pendingStatus(stage.name, before, jobs, observed);
    plan.stages.push(status);
    if (inputs.failed) {
      plan.failure ??= { reason: 'InputFailed', message: inputs.failed };
      status.message = inputs.failed;
    } else if (!inputs.ready) {
      if (inputs.waiting) plan.waiting ??= inputs.waiting;
      status.message = inputs.waiting;
    } else {
      const key = stageKey(stage.name, stage.config, digests(stage.name, inputs.ready, observed));
      const artifact = observed.artifacts[key];
      if (artifact) {
        finished[stage.name] = artifact;
        finishStage(plan, status, artifact, jobs, observed, nowMs);
      } else {
        advanceStage({ resource, plan, status, jobs, observed, nowMs, assignment: { stage: stage.name, key, config: stage.config, pace: stage.pace, inputs: inputs.ready } });
      }
    }
  }
  return plan;
}

function finishedStages(resource: Resource): Partial<Record<StageName, ArtifactRef>> {
  const finished: Partial<Record<StageName, ArtifactRef>> = {};
  for (const s of resource.status?.stages ?? []) if (s.state === 'Succeeded' && s.artifact) finished[s.name] = s.artifact;
  return finished;
}

function gatherInputs(needs: StageName[], finished: Partial<Record<StageName, ArtifactRef>>, observed: Observed) {
  const ready: Record<string, ArtifactRef> = {};
  let complete = true;
  for (const need of needs) {
    const own = finished[need];
    const foreign = observed.inputs[need];
    if (own) ready[need] = own;
    else if (foreign?.state === 'Ready') ready[need] = foreign.artifact;
    else if (foreign?.state === 'Failed') return { failed: foreign.message };
    else if (foreign?.state === 'Waiting') return { waiting: foreign.message };
    else complete = false;
  }
  return complete ? { ready } : {};
}

function digests(stage: StageName, inputs: Record<string, ArtifactRef>, observed: Observed): Record<string, string> {
  const named = Object.fromEntries(Object.entries(inputs).map(([name, artifact]) => [name, artifact.digest]));
  // A user's folder is no artifact: what it holds stands in for a digest.
  const folder = observed.folders?.[stage];
  if (folder) named['folder'] = folder;
  return named;
}

function pendingStatus(name: StageName, before: StageStatus | undefined, jobs: JobObservation[], observed: Observed): StageStatus {
  const report = observed.reports[name];
  const status: StageStatus = { name, state: 'Pending', attempts: jobs.at(-1)?.attempt ?? before?.attempts ?? 0, cached: false };
  const startTime = before?.startTime ?? jobs.find((j) => j.startTime)?.startTime;
  if (startTime) status.startTime = startTime;
  if (report?.progress) status.progress = report.progress;
  if (report?.metrics) status.metrics = legible(report.metrics);
  if (before?.rollback) status.rollback = before.rollback;
  return status;
}

function finishStage(plan: StagesPlan, status: StageStatus, artifact: Observed['artifacts'][string], jobs: JobObservation[], observed: Observed, nowMs: number): void {
  const { metadata, ...ref } = artifact;
  status.state = 'Succeeded';
  status.artifact = ref;
  status.cached = jobs.length === 0;
  status.completionTime = jobs.at(-1)?.completionTime ?? new Date(nowMs).toISOString();
  status.startTime ??= status.completionTime;
  const scores = metadata['metrics'];
  if (isNumbers(scores)) status.metrics = { ...status.metrics, ...scores };
  if (status.progress) status.progress = { step: status.progress.totalSteps, totalSteps: status.progress.totalSteps, etaSeconds: 0 };
  plan.actions.push(event('Normal', status.cached ? 'StageCached' : 'StageSucceeded', `${status.name} ${status.cached ? 'was taken from an earlier run' : 'succeeded'}`));
}

interface Advance {
  resource: Resource;
  plan: StagesPlan;
  status: StageStatus;
  jobs: JobObservation[];
  observed: Observed;
  nowMs: number;
  assignment: Pick<StageAssignment, 'stage' | 'key' | 'config' | 'pace' | 'inputs'>;
}

function advanceStage({ resource, plan, status, jobs, observed, nowMs, assignment }: Advance): void {
  const last = jobs.at(-1);
  if (last && (last.state === 'Running' || last.state === 'Pending')) {
    status.state = last.state;
    if (last.state === 'Pending' && last.obstacle) hinder(plan, status, last.obstacle);
    else treat(resource, plan, status, last, observed);
    return;
  }
  if (plan.failure) return;
  if (last) {
    const problem = failureMessage(status.name, last, observed);
    status.message = problem;
    if (last.terminal && !rollsBack(resource, plan, status, last, observed)) return fail(plan, status, 'InvalidConfiguration', problem);
    // One that was impossible and is followed by another was rolled back.
    const failures = jobs.filter((j) => !j.disrupted && !j.terminal).length;
    if (failures > resource.spec.backoffLimit) return fail(plan, status, 'BackoffLimitExceeded', `${problem} (given up after ${failures} ${failures === 1 ? 'attempt' : 'attempts'})`);
    const retryAtMs = last.disrupted || last.terminal ? nowMs : Date.parse(last.completionTime ?? new Date(nowMs).toISOString()) + retryDelayMs(failures);
    if (retryAtMs > nowMs) {
      plan.retryAtMs = Math.min(plan.retryAtMs ?? Infinity, retryAtMs);
      return;
    }
    plan.actions.push(event(last.disrupted ? 'Normal' : 'Warning', last.disrupted ? 'StageInterrupted' : 'StageRetried', problem));
  }
  const refusal = observed.refusals?.[status.name];
  if (refusal) return hinder(plan, status, refusal);
  const attempt = Math.max(last?.attempt ?? 0, status.attempts) + 1;
  const { kind, metadata } = resource;
  status.attempts = attempt;
  plan.actions.push(
    {
      type: 'createJob',
      assignment: {
        ...assignment,
        ...(status.rollback ? { pace: { ...assignment.pace, rollback: { times: status.rollback.times, toStep: status.rollback.toStep } } } : {}),
        job: jobName(metadata.name, assignment.stage, attempt),
        attempt,
        owner: { kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
      },
    },
    event('Normal', 'StageStarted', `${assignment.stage} started, attempt ${attempt}`),
  );
}

/** Does what the resource asks for about a training that goes wrong while it runs. */
function treat(resource: Resource, plan: StagesPlan, status: StageStatus, last: JobObservation, observed: Observed): void {
  const action = resource.kind === 'TrainingRun' ? resource.spec.train.onUnhealthy : 'Continue';
  if (action === 'Continue') return;
  if (status.rollback?.attempt === last.attempt + 1) return void plan.actions.push({ type: 'stopJob', job: last.name });
  const illness = findIllness(status.name, last.attempt, observed.reports);
  if (!illness) return;
  if (rollsBack(resource, plan, status, last, observed)) return void plan.actions.push({ type: 'stopJob', job: last.name });
  const why = action === 'Stop' ? 'spec.train.onUnhealthy is Stop' : `given up after ${MOST_ROLLBACKS} rollbacks`;
  fail(plan, status, 'TrainingUnhealthy', `${status.name}: ${illness.message} (${why})`);
}

/** Whether the next attempt begins at an earlier checkpoint; decided once an attempt. */
function rollsBack(resource: Resource, plan: StagesPlan, status: StageStatus, last: JobObservation, observed: Observed): boolean {
  if (resource.kind !== 'TrainingRun' || resource.spec.train.onUnhealthy !== 'Rollback' || status.name !== 'train') return false;
  const attempt = last.attempt + 1;
  if (status.rollback?.attempt === attempt) return true;
  const illness = findIllness(status.name, last.attempt, observed.reports);
  const times = (status.rollback?.times ?? 0) + 1;
  if (!illness || times > MOST_ROLLBACKS) return false;
  // It was going wrong before that could be told.
  const toStep = Math.max(0, illness.since - ROLLED_BACK_STEPS);
  status.rollback = { times, toStep, attempt };
  plan.actions.push(event('Warning', 'RolledBack', `${status.name}: ${illness.message}; it goes on from a checkpoint before step ${toStep}, at a lower learning rate`));
  return true;
}

function hinder(plan: StagesPlan, status: StageStatus, { reason, message }: Obstacle): void {
  status.message = message;
  plan.obstacle ??= { reason, message: `${status.name}: ${message}` };
}

function failureMessage(stage: StageName, job: JobObservation, observed: Observed): string {
  if (job.state === 'Succeeded') return `${stage} ended but its artifact was not reported`;
  const told = observed.reports[stage]?.failure?.message;
  return [`${stage} failed`, told ?? job.message].filter(Boolean).join(': ');
}

function fail(plan: StagesPlan, status: StageStatus, reason: Reason, message: string): void {
  status.state = 'Failed';
  status.message = message;
  plan.failure = { reason, message };
}

function retryDelayMs(failures: number): number {
  return Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (failures - 1));
}

export function event(type: 'Normal' | 'Warning', reason: Reason, message: string): Action {
  return { type: 'recordEvent', event: { type, reason, message } };
}

function isNumbers(value: unknown): value is Record<string, number> {
  return typeof value === 'object' && value !== null && Object.values(value).every((v) => typeof v === 'number');
}

/** As many digits as anybody reads in a column of kubectl; the series have them all. */
function legible(metrics: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(metrics).map(([name, value]) => [name, Number(value.toPrecision(4))]));
}
