import type { CrawlJobStatus, Phase, StageStatus, TrainingRunStatus } from '@caricature/contracts';
import { planConditions, type Outcome } from './conditions.js';
import { event, planStages, type Action, type StagesPlan } from './plan-stages.js';
import { judgeHealth } from './health.js';
import { FINALIZER, type Observed, type Resource, type ResourceStatus } from './ports.js';

export interface Plan {
  actions: Action[];
  /** Undefined when there is nothing to say: the resource is being deleted, or has to be read again first. */
  status?: ResourceStatus;
  /** When to look again even if nothing is heard; undefined when there is nothing to wait for. */
  requeueAfterMs?: number;
}

/** Jobs are looked at this often even if no change is heard of: a lost notification costs no more. */
const RUNNING_RESYNC_MS = 5_000;
const WAITING_RESYNC_MS = 15_000;
const RETRY_MS = 5_000;

/**
 * Decides what a resource needs, from what is known of it. Pure: the same arguments give the same plan, and carrying out a plan twice
 * does no more than carrying it out once.
 */
export function plan(resource: Resource, observed: Observed, nowMs: number): Plan {
  if (resource.metadata.deletionTimestamp) return planDeletion(resource, observed);
  // Before anything is made that would have to be removed.
  if (removesArtifacts(resource) && !resource.metadata.finalizers?.includes(FINALIZER)) return { actions: [{ type: 'addFinalizer' }], requeueAfterMs: 0 };
  const phase = resource.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return planFinished(resource, observed, nowMs);
  const deadlineMs = deadline(resource);
  if (deadlineMs !== undefined && nowMs >= deadlineMs) {
    return stopped(resource, observed, nowMs, { phase: 'Failed', reason: 'DeadlineExceeded', message: `not finished within ${resource.spec.activeDeadlineSeconds} s` });
  }
  if (resource.spec.suspend) return stopped(resource, observed, nowMs, { phase: 'Suspended', reason: 'Suspended', message: 'suspended by spec.suspend' });
  const stages = planStages(resource, observed, nowMs);
  if (stages.failure) stages.actions.push(...stopJobs(observed));
  return finish(resource, observed, nowMs, stages, outcomeOf(resource, observed, stages), deadlineMs);
}

function planDeletion(resource: Resource, observed: Observed): Plan {
  const stops = stopJobs(observed);
  if (stops.length > 0) return { actions: stops, requeueAfterMs: 1_000 };
  return { actions: [{ type: 'forgetJobs' }, ...(removesArtifacts(resource) ? [{ type: 'removeArtifacts' } as const] : []), { type: 'removeFinalizer' }] };
}

function removesArtifacts({ spec }: Resource): boolean {
  return spec.deletionPolicy === 'Delete';
}

function planFinished(resource: Resource, observed: Observed, nowMs: number): Plan {
  const { ttlSecondsAfterFinished: ttl } = resource.spec;
  const completedMs = Date.parse(resource.status?.completionTime ?? '');
  const stops = stopJobs(observed);
  // Asked again until they have ended: a job that does not heed the first call is killed by a later one.
  if (stops.length > 0) return { actions: stops, status: observedNow(resource, observed), requeueAfterMs: 1_000 };
  const actions = publication(resource, resource.status!.stages);
  if (ttl === undefined || Number.isNaN(completedMs)) return { actions, status: observedNow(resource, observed) };
  const leftMs = completedMs + ttl * 1000 - nowMs;
  if (leftMs <= 0) return { actions: [...actions, { type: 'delete' }], status: observedNow(resource, observed) };
  return { actions, status: observedNow(resource, observed), requeueAfterMs: leftMs };
}

function observedNow(resource: Resource, observed: Observed): ResourceStatus {
  const status = { ...resource.status!, observedGeneration: resource.metadata.generation } as TrainingRunStatus;
  if (observed.model) status.model = observed.model;
  const active = new Set(observed.jobs.filter(isActive).map((j) => j.stage));
  status.stages = status.stages.map((s) => (s.state === 'Running' && !active.has(s.name) ? { ...s, state: 'Failed', message: 'stopped because another stage failed' } : s));
  return status;
}

function stopped(resource: Resource, observed: Observed, nowMs: number, outcome: Outcome): Plan {
  const stages = resource.status?.stages.map((s): StageStatus => (s.state === 'Running' ? { ...s, state: outcome.phase === 'Failed' ? 'Failed' : 'Pending' } : s)) ?? [];
  return finish(resource, observed, nowMs, { stages, actions: stopJobs(observed) }, outcome);
}

function finish(resource: Resource, observed: Observed, nowMs: number, stages: StagesPlan, outcome: Outcome, deadlineMs?: number): Plan {
  const status = buildStatus(resource, observed, nowMs, stages.stages, outcome);
  const actions = [...stages.actions, ...(outcome.reason === 'Publishing' ? publication(resource, stages.stages) : [])];
  // What is in the way is told once, also where the phase changes meanwhile because another stage goes on.
  if (stages.obstacle ? isNews(resource, outcome) : resource.status?.phase !== outcome.phase) {
    actions.push(event(stages.obstacle || outcome.phase === 'Failed' ? 'Warning' : 'Normal', outcome.reason, outcome.message));
  }
  const waits = [stages.retryAtMs, deadlineMs].filter((t) => t !== undefined).map((t) => Math.max(0, t - nowMs));
  if (observed.jobs.some(isActive) || actions.some((a) => a.type === 'createJob' || a.type === 'stopJob')) waits.push(observed.resyncMs ?? RUNNING_RESYNC_MS);
  // Nobody tells when these would succeed.
  if (outcome.reason === 'Publishing' || observed.refusals) waits.push(RETRY_MS);
  if (stages.waiting) waits.push(observed.resyncMs ?? WAITING_RESYNC_MS);
  return { actions, status, ...(waits.length > 0 && outcome.phase !== 'Succeeded' ? { requeueAfterMs: Math.min(...waits) } : {}) };
}

function outcomeOf(resource: Resource, observed: Observed, stages: StagesPlan): Outcome {
  if (stages.failure) return { phase: 'Failed', ...stages.failure };
  const done = stages.stages.every((s) => s.state === 'Succeeded');
  // Succeeded means that everything asked for is there: whoever waits for it may use the model at once.
  if (done && resource.kind === 'TrainingRun' && resource.spec.publish && !observed.model) {
    return { phase: 'Running', reason: 'Publishing', message: `publishing model ${resource.spec.publish.model}` };
  }
  if (done) return { phase: 'Succeeded', reason: 'AllStagesSucceeded', message: 'every stage succeeded' };
  if (stages.obstacle) return { phase: stages.stages.some((s) => s.state === 'Running' || s.state === 'Succeeded') ? 'Running' : 'Pending', ...stages.obstacle };
  const current = stages.stages.filter((s) => s.state === 'Running' || (s.state === 'Pending' && s.attempts > 0)).map((s) => s.name);
  if (stages.retryAtMs !== undefined) return { phase: 'Running', reason: 'WaitingForRetry', message: stages.stages.find((s) => s.message)?.message ?? 'waiting to try again' };
  if (current.length > 0) return { phase: 'Running', reason: 'StageRunning', message: `running ${current.join(' and ')}` };
  return { phase: 'Pending', reason: 'WaitingForInput', message: stages.waiting ?? 'waiting to start' };
}

function isNews(resource: Resource, { reason }: Outcome): boolean {
  return resource.status?.conditions.find((c) => c.type === 'Progressing')?.reason !== reason;
}

function buildStatus(resource: Resource, observed: Observed, nowMs: number, stages: StageStatus[], outcome: Outcome): ResourceStatus {
  const now = new Date(nowMs).toISOString();
  const before = resource.status;
  const done = outcome.phase === 'Succeeded' || outcome.phase === 'Failed';
  const startTime = before?.startTime ?? (outcome.phase === 'Pending' ? undefined : now);
  const status = {
    observedGeneration: resource.metadata.generation,
    phase: outcome.phase as Phase,
    conditions: planConditions(before?.conditions ?? [], outcome, resource.kind === 'TrainingRun' ? judgeHealth(observed.reports) : [], resource.metadata.generation, now),
    ...(startTime ? { startTime } : {}),
    ...(done ? { completionTime: now } : {}),
    stages,
  };
  return resource.kind === 'CrawlJob' ? { ...status, ...crawlFields(stages, observed, before as CrawlJobStatus | undefined) } : { ...status, ...runFields(observed) };
}

function crawlFields(stages: StageStatus[], observed: Observed, before: CrawlJobStatus | undefined): Partial<CrawlJobStatus> {
  const crawl = stages.find((s) => s.name === 'crawl');
  const { images, duplicates = 0, failed = 0, bytes = 0 } = crawl?.metrics ?? {};
  const artifact = crawl?.artifact;
  const combinations = artifact && Object.values(observed.artifacts).find((a) => a.key === artifact.key)?.metadata['combinations'];
  return {
    ...(images !== undefined ? { progress: { images, duplicates, failed, bytes } } : {}),
    ...(typeof combinations === 'string' ? { combinations } : before?.combinations ? { combinations: before.combinations } : {}),
    ...(artifact ? { dataset: artifact } : {}),
  };
}

function runFields(observed: Observed): Partial<TrainingRunStatus> {
  return { ...(observed.model ? { model: observed.model } : {}), ...(observed.samples?.length ? { samples: observed.samples } : {}) };
}

function publication(resource: Resource, stages: StageStatus[]): Action[] {
  const artifact = stages.find((s) => s.name === 'publish')?.artifact;
  if (resource.kind !== 'TrainingRun' || !resource.spec.publish || !artifact) return [];
  // Done once for each generation: an alias that someone moved by hand later is left where it is.
  const published = resource.status?.model !== undefined && resource.status.observedGeneration === resource.metadata.generation;
  return published ? [] : [{ type: 'publishModel', artifact, model: resource.spec.publish.model, alias: resource.spec.publish.alias }];
}

function stopJobs(observed: Observed): Action[] {
  return observed.jobs.filter(isActive).map((j) => ({ type: 'stopJob', job: j.name }));
}

function isActive({ state }: Observed['jobs'][number]): boolean {
  return state === 'Running' || state === 'Pending';
}

function deadline(resource: Resource): number | undefined {
  const { activeDeadlineSeconds } = resource.spec;
  const startTime = resource.status?.startTime;
  return activeDeadlineSeconds && startTime ? Date.parse(startTime) + activeDeadlineSeconds * 1000 : undefined;
}
