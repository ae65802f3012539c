// Very many runs, as they are after months of use: finished ones, and ones whose first Job runs.
import pg from 'pg';
import { applyRuns, newRuns } from './burst.mjs';
import { Follower } from './follower.mjs';
import { forEach, jobsPath, podsPath, runsPath, until } from './place.mjs';
import { finishedStatus } from './work.mjs';

const MODELS = 20;
/** A usual time to keep what is done: 30 days. */
export const KEPT_SECONDS = 30 * 86_400;
const STAGES = ['prepare-faces', 'prepare-avatars', 'pretrain', 'train', 'evaluate', 'publish'];

/** Runs whose first Job runs: what a kubelet and the Job controller would say is said in their place. */
export async function makeRunning(place, namespace, count) {
  const follower = new Follower(place.client, namespace);
  await applyRuns(place, namespace, newRuns(namespace, 'running', count));
  await until('the running runs have Jobs', () => follower.jobs.size >= count && follower.statuses.size >= count, { withinMs: 300_000 });
  follower.stop();
  const { items } = await place.client.list(jobsPath(namespace));
  await forEach(items, (job) => runJob(place.client, namespace, job));
}

async function runJob(client, namespace, { metadata: { name, uid }, spec: { template } }) {
  const startTime = new Date().toISOString().replace(/\.\d+/, '');
  const ownerReferences = [{ apiVersion: 'batch/v1', kind: 'Job', name, uid, controller: true, blockOwnerDeletion: true }];
  const metadata = { ...template.metadata, name: `${name}-x`, ownerReferences };
  await client.create(podsPath(namespace), { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec });
  const running = { name: 'stage', image: 'worker', imageID: '', ready: true, restartCount: 0, state: { running: { startedAt: startTime } } };
  await client.merge(`${podsPath(namespace)}/${name}-x/status`, { status: { phase: 'Running', startTime, containerStatuses: [running] } });
  await client.merge(`${jobsPath(namespace)}/${name}/status`, { status: { active: 1, ready: 1, startTime } });
}

/** Runs that went through all their stages, with what Postgres has of them. */
export async function makeFinished(place, namespace, count) {
  const documents = newRuns(namespace, 'finished', count, (i) => ({ model: modelOf(i), ttlSecondsAfterFinished: KEPT_SECONDS }));
  const resources = await forEach(await applyRuns(place, namespace, documents), async (resource, i) => {
    const status = finishedStatus(resource, versionOf(i));
    await place.client.update(`${runsPath(namespace)}/${resource.metadata.name}/status`, { ...resource, status });
    return { uid: resource.metadata.uid, digest: status.stages.find((s) => s.name === 'publish').artifact.digest };
  });
  await record(place.postgres.url, resources);
}

const modelOf = (i) => `faces-${i % MODELS}`;
const versionOf = (i) => 1 + Math.floor(i / MODELS);

async function record(url, resources) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const uids = resources.map((r) => r.uid);
    await client.query('INSERT INTO model (name) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING', [Array.from({ length: MODELS }, (_, i) => modelOf(i))]);
    await client.query(
      `INSERT INTO model_version (model_name, version, run_uid, artifact_digest, uri, scores, stage)
       SELECT model, version, uid, digest, 's3://artifacts/publish', '{}', 'publish'
       FROM unnest($1::text[], $2::int[], $3::uuid[], $4::text[]) AS given (model, version, uid, digest)`,
      [resources.map((_, i) => modelOf(i)), resources.map((_, i) => versionOf(i)), uids, resources.map((r) => r.digest)],
    );
    await client.query(
      `INSERT INTO stage_attempt (run_uid, stage, attempt, state, key, started_at, completed_at, exit_code)
       SELECT uid, stage, 1, 'Succeeded', md5(uid || stage), now(), now(), 0 FROM unnest($1::uuid[]) AS uid CROSS JOIN unnest($2::text[]) AS stage`,
      [uids, STAGES],
    );
  } finally {
    await client.end();
  }
}
