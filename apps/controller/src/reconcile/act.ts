import type { ArtifactStore } from '@caricature/artifacts';
import type { ResourceOwner, StageName } from '@caricature/contracts';
import type { Database, StageAttemptRow } from '@caricature/database';
import { jobName, type Action, type Execution, type JobObservation, type PodDriver, type Resource, type ResourceStore } from '@caricature/reconciler';
import { exitCodeOf } from './attempts.js';
import { logObject } from './log-objects.js';
import { removeArtifacts } from './remove-artifacts.js';

/** As a driver says it of a job that it was asked to stop. */
const STOPPED = 'it was stopped';

export interface Targets {
  store: ResourceStore;
  driver: PodDriver;
  database: Database;
  /** Where artifacts are, and the logs of attempts are kept. */
  artifacts: Pick<ArtifactStore, 'put' | 'get' | 'head' | 'remove' | 'uri'>;
}

/** Carries out one action of a plan. Every action may be repeated: a controller killed in between carries it out again. */
export async function act(action: Action, resource: Resource, targets: Targets): Promise<void> {
  const { store, driver, database } = targets;
  const { metadata } = resource;
  switch (action.type) {
    case 'createJob': {
      const { stage, attempt, key } = action.assignment;
      await driver.create(action.assignment, executionOf(resource, stage));
      await database.stages.record({ runUid: metadata.uid, stage, attempt, key, state: 'Running', startedAt: new Date() });
      return;
    }
    case 'stopJob':
      await driver.stop(ownerOf(resource), action.job);
      return recordStop(resource, action.job, database);
    case 'recordEvent':
      return store.recordEvent(resource, action.event);
    case 'publishModel': {
      const row = await database.artifacts.findByKey(action.artifact.key);
      const published = await database.models.publish({
        model: action.model,
        runUid: metadata.uid,
        artifactDigest: action.artifact.digest,
        uri: action.artifact.uri,
        scores: row?.metadata ?? {},
        stage: 'publish',
      });
      await database.models.setAlias(action.model, action.alias, published.version);
      return;
    }
    case 'forgetJobs':
      return driver.forget(ownerOf(resource));
    case 'removeArtifacts':
      return removeArtifacts(resource, targets);
    case 'addFinalizer':
      return store.addFinalizer(resource);
    case 'removeFinalizer':
      return store.removeFinalizer(resource);
    case 'delete':
      return store.delete(resource);
  }
}

export function ownerOf({ kind, metadata: { namespace, name, uid } }: Resource): ResourceOwner {
  return { kind, namespace, name, uid };
}

/** Why an attempt ended whose job is not there to ask any more. */
async function recordStop({ metadata: { uid, name } }: Resource, job: string, database: Database): Promise<void> {
  const row = (await database.stages.list(uid)).find(({ stage, attempt }) => jobName(name, stage as StageName, attempt) === job);
  if (row && !row.completedAt && !row.message) await database.stages.record({ runUid: uid, stage: row.stage, attempt: row.attempt, message: STOPPED });
}

/** Only crawling is shared between processes. */
function executionOf({ spec }: Resource, stage: StageName): Execution {
  const { resources, nodeSelector, tolerations, priorityClassName, queueName, activeDeadlineSeconds } = spec;
  const parallelism = stage === 'crawl' && 'parallelism' in spec ? spec.parallelism : 1;
  return { resources, nodeSelector, tolerations, priorityClassName, queueName, activeDeadlineSeconds, parallelism };
}

/** Writes down how each attempt ended, and keeps its log: the history that outlives the jobs themselves. */
export async function recordAttempts(resource: Resource, jobs: JobObservation[], targets: Targets): Promise<void> {
  const ended = jobs.filter((job) => job.completionTime);
  if (ended.length === 0) return;
  const known = await targets.database.stages.list(resource.metadata.uid);
  for (const job of ended) {
    const row = known.find((r) => r.stage === job.stage && r.attempt === job.attempt);
    if (!row?.completedAt) await recordAttempt(resource, job, row, targets);
  }
}

async function recordAttempt(resource: Resource, job: JobObservation, row: StageAttemptRow | undefined, targets: Targets): Promise<void> {
  const key = row?.key ?? job.key;
  if (!key) return;
  await targets.database.stages.record({
    runUid: resource.metadata.uid,
    stage: job.stage,
    attempt: job.attempt,
    key,
    state: job.state,
    completedAt: new Date(job.completionTime!),
    exitCode: exitCodeOf(job),
    message: job.message ?? null,
    logUri: await keepLog(resource, job, targets),
  });
}

/** A log that cannot be had any more is no reason to stop. */
async function keepLog(resource: Resource, job: JobObservation, { driver, artifacts }: Targets): Promise<string | null> {
  const name = logObject(resource.metadata.uid, job.name);
  const uri = `${artifacts.uri.replace(/\/$/, '')}/${name}`;
  try {
    if (await artifacts.head(name)) return uri;
    const text = await driver.log(ownerOf(resource), job.name);
    if (!text) return null;
    await artifacts.put(name, Buffer.from(text));
    return uri;
  } catch {
    return null;
  }
}
