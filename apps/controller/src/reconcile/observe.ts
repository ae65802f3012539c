import type { ArtifactRef, CrawlJob, TrainingRun } from '@caricature/contracts';
import type { ArtifactRow, Database, Recollection } from '@caricature/database';
import { keysToLookUp, type InputState, type Observed, type Resource } from '@caricature/reconciler';
import { observedReports } from '../reports/stage-reports.js';
import { ownerOf, type Targets } from './act.js';
import { allAttempts } from './attempts.js';
import type { StoredArtifacts } from './stored-artifacts.js';

export interface Sources extends Targets {
  /** A digest of what a folder holds, where it can be seen from here. */
  folderFingerprint(uri: string): Promise<string | undefined>;
  /** See `Observed`. */
  resyncMs?: number | undefined;
}

/** As many of the newest samples are told of. */
const SAMPLES = 20;

/** Gathers everything that planning for a resource looks at. */
export async function observe(resource: Resource, sources: Sources, stored: Pick<StoredArtifacts, 'has'>): Promise<Observed> {
  const { database, driver, resyncMs } = sources;
  const { kind, metadata, status } = resource;
  if (metadata.deletionTimestamp) return observeDeleted(resource, sources);
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return observeFinished(resource, sources);
  const [jobs, inputs, folders, model] = await Promise.all([
    driver.list(ownerOf(resource)),
    kind === 'TrainingRun' ? foreignInputs(resource, sources) : {},
    kind === 'TrainingRun' ? foldersOf(resource, sources) : {},
    kind === 'TrainingRun' ? publishedModel(resource, database) : undefined,
  ]);
  const observed: Observed = {
    jobs,
    reports: {},
    artifacts: {},
    inputs,
    folders,
    samples: [],
    ...(model ? { model } : {}),
    ...(resyncMs ? { resyncMs } : {}),
  };
  const { attempts, reports, samples } = await recall(resource, observed, database, stored);
  return {
    ...observed,
    jobs: allAttempts(resource, jobs, attempts),
    reports: observedReports(reports),
    samples: samples.map(({ step, uri, digest }) => ({ step, digest, uri })),
  };
}

/** Of a resource that goes only its jobs count. It may go because something else of it cannot be read. */
async function observeDeleted(resource: Resource, { database, driver }: Sources): Promise<Observed> {
  const [jobs, attempts] = await Promise.all([driver.list(ownerOf(resource)), database.stages.list(resource.metadata.uid)]);
  return { jobs: allAttempts(resource, jobs, attempts), reports: {}, artifacts: {}, inputs: {}, samples: [] };
}

/** Of a resource that is done only its jobs and its model may still change. There may be very many of them. */
async function observeFinished(resource: Resource, { database, driver }: Sources): Promise<Observed> {
  const [jobs, model] = await Promise.all([
    driver.list(ownerOf(resource)),
    resource.kind === 'TrainingRun' && resource.spec.publish ? publishedModel(resource, database) : undefined,
  ]);
  return { jobs, reports: {}, artifacts: {}, inputs: {}, samples: [], ...(model ? { model } : {}) };
}

/**
 * Adds the artifacts that there are to `observed`; a stage's key can only be named once its inputs are known, so keys are looked up a layer at a
 * time. Gives what is kept of the run since: whoever sees an artifact sees all that was told before it, which is the last of it.
 */
async function recall(resource: Resource, observed: Observed, database: Database, stored: Pick<StoredArtifacts, 'has'>): Promise<Recollection> {
  const asked = new Set<string>();
  const unasked = () => keysToLookUp(resource, observed).filter((key) => !asked.has(key));
  for (let keys = unasked(); ; ) {
    const recollection = await database.recall(resource.metadata.uid, keys, SAMPLES);
    const found = await stillThere(recollection, stored);
    for (const { stage, key, digest, uri, metadata } of found) observed.artifacts[key!] = { stage, key: key!, digest, uri, metadata };
    for (const key of keys) asked.add(key);
    if (found.length === 0) return recollection;
    keys = unasked();
    if (keys.length === 0) return recollection;
  }
}

/** Those that the store still has. An attempt of this run that has made one tells of it just now. */
async function stillThere({ artifacts, attempts }: Recollection, stored: Pick<StoredArtifacts, 'has'>): Promise<ArtifactRow[]> {
  const isOwn = ({ key, digest }: ArtifactRow) => attempts.some((attempt) => attempt.key === key && attempt.artifactDigest === digest);
  const there = await Promise.all(artifacts.map(async (artifact) => isOwn(artifact) || (await stored.has({ stage: artifact.stage, key: artifact.key! }))));
  return artifacts.filter((_, index) => there[index]);
}

async function foreignInputs(run: TrainingRun, sources: Sources): Promise<Record<string, InputState>> {
  return { ...(await foreignFaces(run, sources)), ...(await foreignAvatars(run, sources)) };
}

async function foreignFaces({ metadata: { namespace }, spec: { source } }: TrainingRun, { store }: Sources): Promise<Record<string, InputState>> {
  if (source.dataset === undefined) return {};
  const other = (await store.find({ kind: 'TrainingRun', namespace, name: source.dataset })) as TrainingRun | undefined;
  const artifact = other?.status?.stages.find((s) => s.name === 'prepare-faces')?.artifact;
  if (artifact) return { 'prepare-faces': { state: 'Ready', artifact } };
  const ended = other?.status?.phase === 'Failed' || (other && !other.spec.source.photos);
  if (ended) return { 'prepare-faces': { state: 'Failed', message: `TrainingRun ${source.dataset} has prepared no faces: name one whose spec.source.photos were cut` } };
  return { 'prepare-faces': { state: 'Waiting', message: `waiting for the faces of TrainingRun ${source.dataset}${other ? '' : ', which does not exist yet'}` } };
}

async function foreignAvatars(run: TrainingRun, { store }: Sources): Promise<Record<string, InputState>> {
  const { target } = run.spec;
  if (!target) return {};
  if (target.crawlJobRef) {
    const { name } = target.crawlJobRef;
    const job = await store.find({ kind: 'CrawlJob', namespace: run.metadata.namespace, name });
    return { crawl: crawlState(name, job as CrawlJob | undefined) };
  }
  const jobs = (await store.list('CrawlJob', run.metadata.namespace)) as CrawlJob[];
  const named = jobs.filter((j) => j.spec.output.dataset === target.dataset);
  const done = named.filter((j) => j.status?.phase === 'Succeeded').sort((a, b) => (a.status!.completionTime! < b.status!.completionTime! ? 1 : -1))[0];
  if (done) return { crawl: crawlState(done.metadata.name, done) };
  return { crawl: { state: 'Waiting', message: `waiting for a CrawlJob whose spec.output.dataset is ${target.dataset}` } };
}

function crawlState(name: string, job: CrawlJob | undefined): InputState {
  if (!job) return { state: 'Waiting', message: `waiting for CrawlJob ${name}, which does not exist yet` };
  if (job.status?.phase === 'Failed') return { state: 'Failed', message: `CrawlJob ${name} failed: mend it, then apply this run under a new name` };
  const dataset: ArtifactRef | undefined = job.status?.dataset;
  return job.status?.phase === 'Succeeded' && dataset ? { state: 'Ready', artifact: dataset } : { state: 'Waiting', message: `waiting for CrawlJob ${name}` };
}

async function foldersOf({ spec, status }: TrainingRun, { folderFingerprint }: Sources): Promise<NonNullable<Observed['folders']>> {
  const folders: NonNullable<Observed['folders']> = {};
  for (const [stage, read] of [['prepare-faces', spec.source.photos], ['prepare-avatars', spec.target?.images]] as const) {
    // Once its stage is done a folder is read no more, and need not even be there.
    const isDone = status?.stages.some((s) => s.name === stage && s.state === 'Succeeded');
    const digest = read && !isDone ? await folderFingerprint(read.uri) : undefined;
    if (digest) folders[stage] = digest;
  }
  return folders;
}

async function publishedModel(run: TrainingRun, database: Database): Promise<{ name: string; version: number } | undefined> {
  // Once told it stays, as the artifact of a stage that is done does: finished runs are not looked up again at every start.
  if (run.status?.model) return run.status.model;
  const digest = run.status?.stages.find((s) => s.name === 'publish')?.artifact?.digest;
  if (!digest || !run.spec.publish) return undefined;
  const published = await database.models.findPublished({ model: run.spec.publish.model, runUid: run.metadata.uid, artifactDigest: digest });
  return published && { name: published.model, version: published.version };
}
