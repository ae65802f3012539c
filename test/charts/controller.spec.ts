import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startS3Server, type S3Server } from '../../libs/artifacts/src/testing/s3.server.js';
import { startScratchPostgres } from '../../libs/local/src/postgres/index.js';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.mjs';
import { renderDashboards } from '../../charts/dashboards/index.js';
import { CHART, containersOf, helm, NAMESPACE, podsOf, RELEASE, ROOT, type Manifest } from './chart.js';
import { CLUSTER, queriesOf } from './panels.js';
import { Prometheus } from './prometheus.js';

const run = promisify(execFile);
const DEADLINE = { timeout: 60_000, interval: 500 };

interface EnvVariable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef?: { name: string; key: string }; fieldRef?: { fieldPath: string } };
}

/** Two real controllers, with the environment and the rights that the installed chart gives to its pods; only the servers they speak to are of this machine. */
describe('controllers as the chart starts them', () => {
  let plane: ControlPlane;
  let postgres: Awaited<ReturnType<typeof startScratchPostgres>>;
  let s3: S3Server;
  let folder: string;
  const replicas: { name: string; url: string; child: ChildProcess; output: () => string }[] = [];
  const kubectl = async (...args: string[]) => (await run(plane.kubectl, ['--kubeconfig', plane.kubeconfig, '-n', NAMESPACE, ...args], { maxBuffer: 64 * 2 ** 20 })).stdout;
  const get = async (...args: string[]) => JSON.parse(await kubectl('get', ...args, '-o', 'json')) as Manifest;
  const metric = async (url: string, name: string) => new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(await (await fetch(`${url}/metrics`)).text())?.[1];

  beforeAll(async () => {
    [plane, postgres, s3, folder] = await Promise.all([startControlPlane({ controllerManager: true }), startScratchPostgres(), startS3Server(), mkdtemp(join(tmpdir(), 'caricature-chart-'))]);
    await s3.createBucket('caricature');
    await kubectl('create', 'namespace', NAMESPACE);
    await kubectl('label', 'namespace', NAMESPACE, 'pod-security.kubernetes.io/enforce=restricted');
    await helm('install', RELEASE, CHART, '--namespace', NAMESPACE, '--kubeconfig', plane.kubeconfig);
    const deployment = await get('deployment', 'caricature-controller');
    replicas.push(...(await Promise.all(['one', 'two'].map((name) => startReplica(name, deployment)))));
  }, 180_000);

  afterAll(async () => {
    for (const { child } of replicas) {
      if (child.exitCode !== null) continue;
      child.kill('SIGTERM');
      await once(child, 'exit');
    }
    await Promise.all([plane?.stop(), postgres?.stop(), s3?.stop()]);
    if (folder) await rm(folder, { recursive: true, force: true });
  }, 60_000);

  /** The environment of the Deployment's container, with its references followed, and the servers of this machine. */
  async function environmentOf(deployment: Manifest, podName: string): Promise<Record<string, string>> {
    const fields: Record<string, string> = { 'metadata.name': podName, 'metadata.namespace': NAMESPACE };
    const variables = containersOf(podsOf([deployment])[0]!)[0].env as EnvVariable[];
    const values = variables.map(async ({ name, value, valueFrom }) => {
      const secret = valueFrom?.secretKeyRef;
      const found = secret ? Buffer.from((await get('secret', secret.name))['data'][secret.key], 'base64').toString() : valueFrom?.fieldRef ? fields[valueFrom.fieldRef.fieldPath] : value;
      return [name, found ?? ''] as const;
    });
    const { accessKeyId, secretAccessKey } = s3.options.credentials as { accessKeyId: string; secretAccessKey: string };
    const here = { HOST: '127.0.0.1', CARICATURE_DATABASE_URL: postgres.url, CARICATURE_S3_ENDPOINT: s3.options.endpoint!, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
    return { ...Object.fromEntries(await Promise.all(values)), ...here };
  }

  async function startReplica(name: string, deployment: Manifest): Promise<(typeof replicas)[number]> {
    const port = await freePort();
    const token = (await kubectl('create', 'token', podsOf([deployment])[0]!.spec.serviceAccountName as string)).trim();
    const kubeconfig = join(folder, `${name}.kubeconfig`);
    const cluster = { server: plane.url, 'certificate-authority': plane.caFile };
    await writeFile(kubeconfig, JSON.stringify({ apiVersion: 'v1', kind: 'Config', clusters: [{ name: 'c', cluster }], users: [{ name: 'u', user: { token } }], contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }], 'current-context': 'x' }));
    const home = join(folder, name);
    const env = { ...(await environmentOf(deployment, `caricature-controller-${name}`)), PORT: String(port), HOME: home, CARICATURE_HOME: home, KUBECONFIG: kubeconfig, PATH: process.env['PATH'] };
    const child = spawn(process.execPath, [join(ROOT, 'dist/apps/controller/src/main.js')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    return { name, url: `http://127.0.0.1:${port}`, child, output: () => output };
  }

  it('are ready: no variable and no right is missing', async () => {
    for (const { url, output } of replicas) {
      await expect.poll(() => fetch(`${url}/readyz`).then(async (r) => (r.ok ? 'ready' : r.text()), () => output()), DEADLINE).toBe('ready');
    }
  }, 70_000);

  it('migrated the empty database once between them', async () => {
    const client = new Client({ connectionString: postgres.url });
    await client.connect();
    const { rows } = await client.query<{ name: string; times: number }>('SELECT migration_name AS name, count(*)::int AS times FROM "_prisma_migrations" GROUP BY 1');
    await client.end();
    const migrations = (await readdir(join(ROOT, 'prisma/migrations'), { withFileTypes: true })).filter((entry) => entry.isDirectory());
    expect(rows.map(({ name }) => name).sort()).toEqual(migrations.map(({ name }) => name).sort());
    expect(rows.every(({ times }) => times === 1)).toBe(true);
  });

  it('have one leader, and say so to Prometheus', async () => {
    const leaders = () => Promise.all(replicas.map(({ url }) => metric(url, 'caricature_leader')));
    await expect.poll(async () => (await leaders()).sort(), DEADLINE).toEqual(['0', '1']);
    expect((await get('lease', 'caricature-controller')).spec.holderIdentity).toMatch(/^caricature-controller-(one|two)/);
    for (const { url } of replicas) expect(Number(await metric(url, 'caricature_api_requests_total'))).toBeGreaterThan(0);
  }, 70_000);

  it('ask for the token of the release', async () => {
    const token = Buffer.from((await get('secret', 'caricature-api'))['data'].token, 'base64').toString();
    const ask = (headers: Record<string, string>) => fetch(`${replicas[0]!.url}/api/v1/resources`, { headers }).then((r) => r.status);
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: `Bearer ${token}` })).toBe(200);
  });

  it('make pods for a resource that Pod Security lets in, with the account, the image and the access of the release', async () => {
    await kubectl('apply', '-f', join(ROOT, 'test/e2e/tiny.yaml'));
    // Two share the crawl.
    const pods = () => get('pods', '-l', 'app.kubernetes.io/managed-by=caricature,caricature.dev/stage=crawl');
    await expect.poll(async () => ((await pods())['items'] as unknown[]).length, { ...DEADLINE, message: replicas.map(({ output }) => output()).join('\n') }).toBe(2);
    const { spec, metadata } = ((await pods())['items'] as Manifest[])[0]!;
    expect(spec.serviceAccountName).toBe('caricature-worker');
    expect(spec.containers[0].image).toBe('caricature/worker:0.1.0');
    expect(JSON.stringify(spec.containers[0])).toContain('caricature-artifacts');
    const policy = await get('networkpolicy', 'caricature-workers');
    expect(metadata.labels).toMatchObject(policy.spec.podSelector.matchLabels);
  }, 70_000);

  it('go on after the API server died, and fill the panels that only a cluster fills', async () => {
    const prometheus = await Prometheus.start({ targets: Object.fromEntries(replicas.map(({ name, url }) => [name, new URL(url).host])), rules: [join(CHART, 'files/alerts.yaml')] });
    try {
      await plane.services['kube-apiserver'].kill('SIGKILL');
      plane.services['kube-apiserver'].start();
      await plane.untilReady();
      const panels = renderDashboards().flatMap(({ name, text }) => queriesOf(name, text)).filter(({ expr }) => CLUSTER.test(expr));
      expect(panels.length).toBeGreaterThan(3);
      for (const { panel, expr } of panels) {
        const numbers = async () => (await prometheus.queryRange(expr, 5)).flatMap(({ values }) => values.map(([, value]) => Number(value))).filter(Number.isFinite).length;
        await expect.poll(numbers, { ...DEADLINE, message: panel }).toBeGreaterThan(0);
      }
      await expect.poll(async () => (await prometheus.query('sum(caricature_leader)'))[0]?.value[1], DEADLINE).toBe('1');
      expect((await prometheus.alertRules()).filter(({ health }) => health !== 'ok')).toEqual([]);
    } finally {
      await prometheus.stop();
    }
  }, 120_000);
});
