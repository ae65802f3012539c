import type { Database } from '@caricature/database';
import type { Action, PodDriver, Resource, ResourceStore } from '@caricature/reconciler';

export interface Targets {
  store: ResourceStore;
  driver: PodDriver;
  database: Database;
}

/** Carries out one action of a plan. Every action may be repeated: a controller killed in between carries it out again. */
export async function act(action: Action, resource: Resource, { store, driver, database }: Targets): Promise<void> {
  const { kind, metadata } = resource;
  const owner = { kind, namespace: metadata.namespace, name: metadata.name, uid: metadata.uid };
  switch (action.type) {
    case 'createJob': {
      const { stage, attempt, key } = action.assignment;
      await driver.create(action.assignment, resource.spec);
      await database.stages.record({ runUid: metadata.uid, stage, attempt, key, state: 'Running', startedAt: new Date() });
      return;
    }
    case 'stopJob':
      return driver.stop(owner, action.job);
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
      return driver.forget(owner);
    case 'removeFinalizer':
      return store.removeFinalizer(resource);
    case 'delete':
      return store.delete(resource);
  }
}

/** Writes down how each attempt ended: the history that outlives the jobs themselves. */
export async function recordAttempts(resource: Resource, jobs: Awaited<ReturnType<PodDriver['list']>>, database: Database): Promise<void> {
  const known = await database.stages.list(resource.metadata.uid);
  for (const job of jobs) {
    const row = known.find((r) => r.stage === job.stage && r.attempt === job.attempt);
    if (!row || row.completedAt || !job.completionTime) continue;
    await database.stages.record({
      runUid: resource.metadata.uid,
      stage: job.stage,
      attempt: job.attempt,
      state: job.state,
      completedAt: new Date(job.completionTime),
      message: job.message ?? null,
    });
  }
}
