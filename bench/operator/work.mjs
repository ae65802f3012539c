// What is measured: a TrainingRun as users write it, what is written for it at first, and how it looks when it is done. The controller's own
// planner says the latter two, so that the reference operators write just what the controller does.
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';

const DIST = path.resolve(import.meta.dirname, '../../dist');
const { keysToLookUp, plan } = await import(`${DIST}/libs/reconciler/src/index.js`);
const { parseResource } = await import(`${DIST}/libs/contracts/src/index.js`);
const { jobManifest } = await import(`${DIST}/libs/kubernetes/src/jobs/job-manifest.js`);

/** A run of the demonstration's kind: its faces are cut first, its avatars come of a crawl that is not there yet. */
export function aTrainingRun(name, namespace, { model = 'faces', ...spec } = {}) {
  return parseResource({
    apiVersion: 'caricature.dev/v1alpha1',
    kind: 'TrainingRun',
    metadata: { name, namespace },
    spec: {
      model: { architecture: 'DTN', preset: 'faces-64' },
      source: { photos: { uri: 's3://photos/people' } },
      target: { crawlJobRef: { name: 'avatars' } },
      publish: { model, alias: 'production' },
      resources: { requests: { cpu: '4', memory: '16Gi' }, limits: { 'nvidia.com/gpu': 1 } },
      ...spec,
    },
  });
}

const NO_CRAWL = { state: 'Waiting', message: 'waiting for CrawlJob avatars, which does not exist yet' };
const FIRST = { jobs: [], reports: {}, artifacts: {}, samples: [], inputs: { crawl: NO_CRAWL } };

/** What is written for a new run, with {{name}}, {{namespace}}, {{uid}} and {{now}} where runs differ. `pods` are the controller's settings. */
export function firstWork(pods) {
  // A name that the schema takes, put in its place at the end.
  const placeholders = { RUN: 'run-name-placeholder', SPACE: 'namespace-placeholder', UID: '00000000-0000-0000-0000-000000000000' };
  const manifest = aTrainingRun(placeholders.RUN, placeholders.SPACE);
  const resource = { ...manifest, metadata: { ...manifest.metadata, uid: placeholders.UID, generation: 1 } };
  const now = new Date(0);
  const { actions, status } = plan(resource, FIRST, now.getTime());
  const { resources } = resource.spec;
  const [{ assignment }] = actions.filter((a) => a.type === 'createJob');
  const events = actions.filter((a) => a.type === 'recordEvent').map((a) => a.event);
  const work = { job: jobManifest(assignment, { resources, parallelism: 1 }, pods), status, events };
  const text = JSON.stringify(work)
    .replaceAll(placeholders.RUN, '{{name}}')
    .replaceAll(placeholders.SPACE, '{{namespace}}')
    .replaceAll(placeholders.UID, '{{uid}}')
    .replaceAll(now.toISOString(), '{{now}}');
  return JSON.parse(text);
}

/** The status of a run that has gone through all its stages and is `version` of its model. */
export function finishedStatus(resource, version) {
  const observed = { ...FIRST, inputs: { crawl: { state: 'Ready', artifact: anArtifact('crawl', digestOf('crawl', resource.metadata.uid)) } } };
  for (let keys = keysToLookUp(resource, observed); keys.length > 0; keys = keysToLookUp(resource, observed)) {
    for (const key of keys) observed.artifacts[key] = { ...anArtifact('stage', key), metadata: { metrics: { accuracy: 0.9, loss: 0.1 } } };
  }
  observed.model = { name: resource.spec.publish.model, version };
  const { uid } = resource.metadata;
  observed.samples = Array.from({ length: 20 }, (_, i) => ({ step: 100 * i, digest: digestOf(String(i), uid), uri: `s3://artifacts/samples/${uid}/${i}.png` }));
  const { status } = plan(resource, observed, Date.now());
  return JSON.parse(JSON.stringify(status));
}

const anArtifact = (stage, key) => ({ stage, key, digest: `sha256:${key.padEnd(64, '0').slice(0, 64)}`, uri: `s3://artifacts/${stage}/${key}` });
const digestOf = (what, uid) => `${what}${uid.replaceAll('-', '')}`;

/**
 * Whether two operators wrote the same for a run: its Job, its status and its events, but for names, times and what the API server adds.
 * @throws {Error} naming what differs
 */
export function assertSameWork(ours, theirs, name) {
  const [a, b] = [ours, theirs].map(({ identity, ...work }) => JSON.parse(withoutIdentity(JSON.stringify(work), identity), parseNested));
  const difference = differenceBetween(a, b);
  if (difference) throw new Error(`${name} does not write what the controller does: ${difference}`);
}

function withoutIdentity(text, identity) {
  return identity.reduce((rest, value) => rest.replaceAll(value, '…'), text).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'now');
}

/** An assignment is JSON in JSON, whose order means nothing. */
function parseNested(_, value) {
  return typeof value === 'string' && value.startsWith('{') ? JSON.parse(value) : value;
}

function differenceBetween(a, b, at = '') {
  if (isDeepStrictEqual(a, b)) return undefined;
  const isInner = [a, b].every((value) => typeof value === 'object' && value !== null);
  if (!isInner) return `${at} is ${JSON.stringify(a)} and ${JSON.stringify(b)}`;
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].map((key) => differenceBetween(a[key], b[key], `${at}.${key}`)).find(Boolean);
}
