import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Condition } from '@caricature/contracts';
import type { Resource } from '@caricature/reconciler';
import { resourcePath } from '../../../../libs/kubernetes/src/client/api-path.js';
import { RIGHTS } from '../../../../libs/kubernetes/src/preflight/rights.js';
import { FakeKubelet } from '../../../../libs/kubernetes/src/testing/fake-kubelet.js';
import { aCrawlJob, TestCluster } from '../../../../libs/kubernetes/src/testing/test-cluster.js';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { openDatabase } from '../../../../test/contract/places.js';
import { readControllerEnv } from '../controller.env.js';
import { createController, type Controller } from '../create-controller.js';

const SOON = { timeout: 60_000, interval: 100 };
const ACCOUNT = 'caricature-worker';

describe('a controller on a cluster', () => {
  let cluster: TestCluster;
  let kubelet: FakeKubelet;
  let database: Awaited<ReturnType<typeof openDatabase>>;
  let controller: Controller;
  let home: string;
  let namespace: string;
  const said: string[] = [];
  const job = 'avatars-crawl-1';

  beforeAll(async () => {
    const [plane, opened, folder] = await Promise.all([startControlPlane({ controllerManager: true }), openDatabase(), mkdtemp(join(tmpdir(), 'caricature-platform-'))]);
    [database, home, cluster] = [opened, folder, new TestCluster(plane)];
    kubelet = await FakeKubelet.on(cluster);
    kubelet.obey();
    await cluster.kubectl('create', 'namespace', 'operator');
    await cluster.kubectl('-n', 'operator', 'create', 'serviceaccount', 'controller');
    const token = (await cluster.kubectl('-n', 'operator', 'create', 'token', 'controller')).trim();
    const kubeconfig = join(home, 'kubeconfig');
    await writeFile(kubeconfig, JSON.stringify({
      apiVersion: 'v1', kind: 'Config', 'current-context': 'x', contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: plane.url, 'certificate-authority': plane.caFile } }], users: [{ name: 'u', user: { token } }],
    }));
    process.env['KUBECONFIG'] = kubeconfig;
    const env = readControllerEnv({
      PORT: '0', CARICATURE_HOME: home, CARICATURE_PLATFORM: 'kubernetes', CARICATURE_DATABASE_URL: database.url, CARICATURE_ARTIFACTS_URI: 's3://artifacts',
      CARICATURE_WORKER_IMAGE: 'worker', CARICATURE_PUBLIC_URL: 'http://127.0.0.1:1', CARICATURE_WORKER_GRACE_SECONDS: '5', POD_NAMESPACE: 'operator',
    });
    controller = await createController(env, { log: (line) => void said.push(line) });
  }, 180_000);
  afterAll(async () => {
    await controller?.close();
    kubelet?.stop();
    await cluster?.stop();
    await database?.close();
    if (home) await rm(home, { recursive: true, force: true });
  }, 60_000);
  beforeEach(async () => void (namespace = await cluster.namespace()));

  const ready = () => fetch(`${controller.url}/readyz`).then((response) => response.text());
  const withAccount = () => cluster.kubectl('-n', namespace, 'create', 'serviceaccount', ACCOUNT);
  const apply = (spec: Record<string, unknown> = {}) => cluster.createResource(aCrawlJob('avatars', { sampling: { count: 10, seed: Number(namespace.split('-').at(-1)) }, ...spec }), namespace);
  /** How the resource stands, as anybody sees it in the API server: `Progressing` until it ends. */
  const progressing = async (): Promise<Condition | undefined> => (await cluster.client.find<Resource>(resourcePath('CrawlJob', namespace, 'avatars')))?.status?.conditions.find((c) => c.type === 'Progressing');
  const says = (reason: string, message: string) => expect.poll(progressing, SOON).toMatchObject({ status: 'True', reason, message: expect.stringContaining(message) });
  const goesOn = async () => {
    await kubelet.start(namespace, job);
    await expect.poll(progressing, SOON).toMatchObject({ status: 'True', reason: 'StageRunning', message: 'running crawl' });
  };

  it('without the definitions or a right is not ready and names each; it begins once it has them', async () => {
    await expect.poll(ready, SOON).toContain('trainingruns.caricature.dev is not there');
    const text = await ready();
    expect(text).toContain('create jobs.batch in all namespaces');
    expect(text).toContain('update leases.coordination.k8s.io in namespace operator');
    await cluster.installDefinitions();
    const rules = RIGHTS.map(({ group, resource, subresource, verbs }) => ({ apiGroups: [group], resources: [subresource ? `${resource}/${subresource}` : resource], verbs }));
    await cluster.client.create('/apis/rbac.authorization.k8s.io/v1/clusterroles', { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'controller' }, rules });
    await expect.poll(async () => (await ready()).includes('is not there'), SOON).toBe(false);
    expect(await ready()).toContain('create jobs.batch in all namespaces');
    await cluster.kubectl('create', 'clusterrolebinding', 'controller', '--clusterrole=controller', '--serviceaccount=operator:controller');
    await expect.poll(() => fetch(`${controller.url}/readyz`).then(({ status }) => status), SOON).toBe(200);
  }, 120_000);

  describe('shows what keeps a resource from going on, and goes on by itself once it is mended:', () => {
    it('a quota on Jobs', async () => {
      await withAccount();
      await cluster.kubectl('-n', namespace, 'create', 'quota', 'jobs', '--hard=count/jobs.batch=0');
      await cluster.until('the quota is known', async () => (await cluster.kubectl('-n', namespace, 'get', 'quota', 'jobs', '-o', 'jsonpath={.status.hard}')).includes('jobs'));
      await apply();
      await says('QuotaExceeded', 'raise the quota');
      await cluster.kubectl('-n', namespace, 'delete', 'quota', 'jobs');
      await goesOn();
    }, 120_000);

    it('a quota on pods', async () => {
      await withAccount();
      await cluster.kubectl('-n', namespace, 'create', 'quota', 'pods', '--hard=pods=0');
      await cluster.until('the quota is known', async () => (await cluster.kubectl('-n', namespace, 'get', 'quota', 'pods', '-o', 'jsonpath={.status.hard}')).includes('pods'));
      await apply();
      await says('QuotaExceeded', 'exceeded quota');
      await cluster.kubectl('-n', namespace, 'delete', 'quota', 'pods');
      await goesOn();
    }, 180_000);

    it('a ServiceAccount that is not there', async () => {
      await apply();
      await says('PodRefused', `serviceaccount "${ACCOUNT}" not found`);
      await withAccount();
      await goesOn();
    }, 180_000);

    it.each([
      ['an image that does not exist', 'ImageUnavailable', 'ErrImagePull', 'manifest unknown'],
      ['a Secret that is not there', 'PodMisconfigured', 'CreateContainerConfigError', 'secret "access" not found'],
      ['a ConfigMap that is not there', 'PodMisconfigured', 'CreateContainerConfigError', 'configmap "settings" not found'],
    ])('%s', async (_title, reason, waiting, message) => {
      await withAccount();
      await apply();
      await kubelet.wait(namespace, job, waiting, message);
      await says(reason, message);
      await goesOn();
    }, 120_000);

    it('a GPU that nobody has', async () => {
      await withAccount();
      await apply({ resources: { limits: { 'nvidia.com/gpu': 8 } } });
      const message = '0/1 nodes are available: 1 Insufficient nvidia.com/gpu.';
      await kubelet.say(await kubelet.pod(namespace, job), { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] });
      await says('Unschedulable', message);
      await goesOn();
    }, 120_000);

    it('a queue that has not admitted it', async () => {
      await withAccount();
      await apply({ queueName: 'gpus' });
      await says('WaitingForQueue', 'waiting for queue gpus');
      await cluster.kubectl('-n', namespace, 'patch', 'job', job, '--type=merge', '-p', '{"spec":{"suspend":false}}');
      await goesOn();
    }, 120_000);

    it("somebody else's Job of the same name", async () => {
      await withAccount();
      await cluster.kubectl('-n', namespace, 'create', 'job', job, '--image=other');
      await apply();
      await says('NameTaken', job);
      await cluster.kubectl('-n', namespace, 'delete', 'job', job);
      await goesOn();
    }, 120_000);
  });
});
