import { removeArtifact, type ArtifactStore } from '@caricature/artifacts';
import type { Database } from '@caricature/database';
import { belongingsOf, planRemoval, type Belonging, type Referrers, type Removal, type Resource, type ResourceStore } from '@caricature/reconciler';
import { logsPrefix } from './log-objects.js';

export interface RemovalTargets {
  store: ResourceStore;
  database: Database;
  artifacts: Pick<ArtifactStore, 'remove'>;
}

/**
 * Removes what a resource that is being deleted has put into the artifact store, but for what others refer to. Nothing else may be reconciled
 * meanwhile: it could take an artifact just before it goes. Done again from the start when it was cut short.
 */
export async function removeArtifacts(resource: Resource, targets: RemovalTargets): Promise<void> {
  const { database, artifacts, store } = targets;
  const { uid } = resource.metadata;
  const belongings = belongingsOf(resource, await database.stages.list(uid));
  const removal = planRemoval(resource, belongings, await findReferrers(resource, belongings, targets));
  for (const belonging of removal.remove) await remove(belonging, targets);
  await artifacts.remove(logsPrefix(uid));
  for (const event of eventsOf(removal)) await store.recordEvent(resource, event);
}

async function findReferrers(resource: Resource, belongings: Belonging[], { store, database }: RemovalTargets): Promise<Referrers> {
  const [crawls, runs, attempts] = await Promise.all([store.list('CrawlJob'), store.list('TrainingRun'), database.stages.listByKeys(belongings.map(({ key }) => key))]);
  const resources = [...crawls, ...runs];
  const there = new Set([resource, ...resources].map(({ metadata }) => metadata.uid));
  const gone = [...new Set(attempts.map(({ runUid }) => runUid))].filter((uid) => !there.has(uid));
  const retained = (await Promise.all(gone.map(async (uid) => [uid, await findRetainer(uid, database)] as const))).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const published = await Promise.all(belongings.map(async ({ key }) => ((await isPublished(key, database)) ? [key] : [])));
  return { resources, attempts, published: new Set(published.flat()), retained: new Map(retained) };
}

/** What a resource that is gone was called, if its artifacts were to stay. */
async function findRetainer(uid: string, database: Database): Promise<string | undefined> {
  const last = (await database.resources.history(uid)).at(-1);
  return last && last.spec['deletionPolicy'] !== 'Delete' ? `${last.kind} ${last.namespace}/${last.name}` : undefined;
}

async function isPublished(key: string, database: Database): Promise<boolean> {
  const row = await database.artifacts.findByKey(key);
  return row !== undefined && database.models.isPublished(row.uri);
}

/** First nobody is to find it any more: should this be cut short, what is left is removed later, or made whole by whoever makes it anew. */
async function remove({ stage, key }: Belonging, { database, artifacts }: RemovalTargets): Promise<void> {
  await database.artifacts.forget(key);
  await removeArtifact(artifacts, { stage, key });
  for (const prefix of [`work/${stage}/${key}`, `samples/${key}`]) await artifacts.remove(prefix);
}

function eventsOf({ remove: removed, kept }: Removal) {
  const gone = removed.length > 0 ? [{ type: 'Normal' as const, reason: 'ArtifactsRemoved', message: `removed the artifacts of ${removed.map(({ stage }) => stage).join(', ')}` }] : [];
  return [...gone, ...kept.map(({ stage, because }) => ({ type: 'Normal' as const, reason: 'ArtifactsKept', message: `kept the artifact of ${stage}: ${because}` }))];
}
