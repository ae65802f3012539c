import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Resource } from '@caricature/reconciler';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { JobDriver } from '../jobs/job.driver.js';
import { FakeKubelet } from '../testing/fake-kubelet.js';
import { aCrawlJob, TestCluster } from '../testing/test-cluster.js';
import { anAssignment, aWorkerPods } from '../testing/worker-pods.js';
import { WorkerTokens } from './worker-tokens.js';

const ACCOUNT = 'caricature-worker';

describe('a worker', () => {
  let cluster: TestCluster;
  let kubelet: FakeKubelet;
  let namespace: string;
  let resource: Resource;
  let tokens: WorkerTokens;
  const job = 'faces-crawl-1';

  beforeAll(async () => {
    cluster = new TestCluster(await startControlPlane({ controllerManager: true }));
    await cluster.installDefinitions();
    kubelet = await FakeKubelet.on(cluster);
  }, 180_000);
  afterAll(async () => {
    kubelet?.stop();
    await cluster?.stop();
  });
  beforeEach(async () => {
    namespace = await cluster.namespace();
    await cluster.kubectl('-n', namespace, 'create', 'serviceaccount', ACCOUNT);
    resource = await cluster.createResource(aCrawlJob('faces'), namespace);
    const driver = new JobDriver({ client: cluster.client, namespaces: [namespace], pods: aWorkerPods(), log: () => undefined });
    await driver.create(anAssignment(resource), {});
    tokens = new WorkerTokens(cluster.client, [namespace]);
  });

  const tokenOf = async (pod: string, audience = 'caricature') =>
    (await cluster.kubectl('-n', namespace, 'create', 'token', ACCOUNT, `--audience=${audience}`, '--bound-object-kind=Pod', `--bound-object-name=${pod}`)).trim();

  it('is known by the token of its pod, for its own job only', async () => {
    const pod = await kubelet.pod(namespace, job);
    const token = await tokenOf(pod.metadata!.name!);
    expect(await tokens.authenticate(job, token)).toEqual({ assignment: anAssignment(resource), podUid: pod.metadata!.uid });
    expect(await tokens.authenticate('faces-crawl-2', token)).toBeUndefined();
    expect(await tokens.authenticate(job, `${token}x`)).toBeUndefined();
    expect(await tokens.authenticate(job, '')).toBeUndefined();
  });

  it('with a token that is not meant for the controller, or of no pod, is not known', async () => {
    const pod = await kubelet.pod(namespace, job);
    expect(await tokens.authenticate(job, await tokenOf(pod.metadata!.name!, 'https://kubernetes.default.svc'))).toBeUndefined();
    expect(await tokens.authenticate(job, (await cluster.kubectl('-n', namespace, 'create', 'token', ACCOUNT, '--audience=caricature')).trim())).toBeUndefined();
  });

  it('of a namespace that is not worked in is not known', async () => {
    const pod = await kubelet.pod(namespace, job);
    const elsewhere = new WorkerTokens(cluster.client, ['elsewhere']);
    expect(await elsewhere.authenticate(job, await tokenOf(pod.metadata!.name!))).toBeUndefined();
  });

  it('cannot pass for another by a pod of its own making', async () => {
    const real = await kubelet.pod(namespace, job);
    const { metadata, spec } = real;
    // Labels and the assignment are copied; what makes a worker is the Job that owns its pod.
    const copy = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'copy', labels: { team: 'x' }, annotations: metadata!.annotations }, spec: { ...spec, nodeName: undefined } };
    await cluster.client.create(`/api/v1/namespaces/${namespace}/pods`, copy);
    expect(await tokens.authenticate(job, await tokenOf('copy'))).toBeUndefined();
  });
});
