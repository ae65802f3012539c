import type { V1Job } from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ownerOf } from './labels.js';
import type { Execution, JobObservation, Resource } from '@caricature/reconciler';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { jobPath, podPath } from '../client/api-path.js';
import { FakeKubelet } from '../testing/fake-kubelet.js';
import { aCrawlJob, TestCluster } from '../testing/test-cluster.js';
import { anAssignment, aWorkerPods } from '../testing/worker-pods.js';
import type { WorkerPods } from './job-manifest.js';
import { JobDriver } from './job.driver.js';

const SOON = { timeout: 45_000, interval: 50 };

describe('a stage as a Job', () => {
  let cluster: TestCluster;
  let kubelet: FakeKubelet;
  let namespace: string;
  let resource: Resource;
  let driver: JobDriver;
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
    await cluster.kubectl('-n', namespace, 'create', 'serviceaccount', 'caricature-worker');
    resource = await cluster.createResource(aCrawlJob('faces'), namespace);
    driver = aDriver();
  });

  const aDriver = (pods: Partial<WorkerPods> = {}) => new JobDriver({ client: cluster.client, namespaces: [namespace], pods: aWorkerPods(pods), log: () => undefined });
  const create = (execution: Execution = {}, by = driver, attempt = 1) => by.create(anAssignment(resource, 'crawl', attempt), execution);
  const stored = (name = job) => cluster.client.get<V1Job>(jobPath(namespace, name));
  const owner = () => anAssignment(resource).owner;
  const observe = async (by = driver): Promise<JobObservation | undefined> => (await by.list(owner()))[0];

  /** The driver while it follows the API server. */
  async function watching(work: (driver: JobDriver) => Promise<void>): Promise<void> {
    const stop = new AbortController();
    const running = driver.watch(() => undefined, stop.signal);
    try {
      await work(driver);
    } finally {
      stop.abort();
      await running;
    }
  }

  it('belongs to its resource, is found by it, and says how Kubernetes is to treat it', async () => {
    await create({ resources: { limits: { 'nvidia.com/gpu': 1, memory: '2Gi' } }, nodeSelector: { gpu: 'yes' }, tolerations: [{ key: 'gpu', operator: 'Exists' }], activeDeadlineSeconds: 600 });
    const { metadata, spec } = await stored();
    expect(metadata).toMatchObject({ ownerReferences: [{ kind: 'CrawlJob', name: 'faces', uid: resource.metadata.uid, controller: true, blockOwnerDeletion: true }] });
    expect(ownerOf(namespace, metadata?.labels)).toEqual(owner());
    expect(spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 600, ttlSecondsAfterFinished: 3_600, podReplacementPolicy: 'Failed' });
    expect(spec?.podFailurePolicy?.rules?.map(({ action, onExitCodes, onPodConditions }) => [action, onExitCodes?.values ?? onPodConditions?.[0]?.type])).toEqual([['FailJob', [64]], ['Ignore', 'DisruptionTarget'], ['Ignore', [75, 143]]]);
    expect(spec?.template.spec).toMatchObject({ nodeSelector: { gpu: 'yes' }, tolerations: [{ key: 'gpu', operator: 'Exists' }], containers: [{ resources: { limits: { 'nvidia.com/gpu': '1', memory: '2Gi' } } }] });
  });

  it('is one, however often it is asked for, by whichever controller', async () => {
    await create();
    const { metadata } = await stored();
    // A controller that was killed before it wrote down that there is a Job, and one of another release.
    await create({}, aDriver());
    await create({}, aDriver({ image: 'registry.example/worker:2' }));
    await Promise.all(Array.from({ length: 5 }, () => create({}, aDriver())));
    expect((await cluster.client.list(jobPath(namespace))).items.length).toBe(1);
    expect(await stored()).toMatchObject({ metadata: { uid: metadata?.uid, generation: 1 }, spec: { template: { spec: { containers: [{ image: 'registry.example/worker:1' }] } } } });
  });

  it('has pods that Pod Security lets in, with the assignment as a file and a token for the controller alone', async () => {
    await create();
    const { spec, metadata } = await kubelet.pod(namespace, job);
    expect(JSON.parse(metadata!.annotations!['caricature.dev/assignment']!)).toEqual(anAssignment(resource));
    expect(spec).toMatchObject({ serviceAccountName: 'caricature-worker', automountServiceAccountToken: false, restartPolicy: 'Never', terminationGracePeriodSeconds: 30 });
    expect(spec?.volumes?.flatMap((v) => v.projected?.sources ?? [])).toMatchObject([{ serviceAccountToken: { audience: 'caricature' } }]);
  });

  it('of several processes is Indexed', async () => {
    await create({ parallelism: 3 });
    expect((await stored()).spec).toMatchObject({ completionMode: 'Indexed', completions: 3, parallelism: 3 });
    await expect.poll(async () => (await kubelet.podsOf(namespace, job)).length, SOON).toBe(3);
  });

  it('for a GPU uses the image for GPUs', async () => {
    await create({ resources: { limits: { 'nvidia.com/gpu': 1 } } }, aDriver({ gpuImage: 'registry.example/worker-gpu:1' }));
    expect((await stored()).spec?.template.spec?.containers[0]?.image).toBe('registry.example/worker-gpu:1');
  });

  it('is pending, running and succeeded as its pod is, with the controller following or asking anew', async () => {
    await watching(async (following) => {
      await create();
      await kubelet.pod(namespace, job);
      expect(await observe()).toMatchObject({ name: job, stage: 'crawl', attempt: 1, key: 'key-of-crawl', state: 'Pending' });
      await kubelet.start(namespace, job);
      await expect.poll(async () => (await observe(following))?.state, SOON).toBe('Running');
      await kubelet.end(namespace, job, 0);
      await kubelet.finished(namespace, job);
      await expect.poll(() => observe(following), SOON).toMatchObject({ state: 'Succeeded', startTime: expect.any(String), completionTime: expect.any(String) });
    });
    expect(await observe(aDriver())).toMatchObject({ state: 'Succeeded' });
  }, 60_000);

  it.each([
    ['a failure, with the last lines of its log', 1, 'out of luck', { terminal: false, disrupted: false, message: 'exit code 1; the last lines of its log:\nout of luck' }],
    ['something impossible, which ends the Job', 64, 'spec.seed', { terminal: true, disrupted: false, message: expect.stringContaining('spec.seed') }],
    ['a kill from outside', 137, '', { terminal: false, disrupted: false, message: 'it was killed by signal 9' }],
  ])('tells of %s', async (_title, code, tail, expected) => {
    await create();
    await kubelet.end(namespace, job, code, { tail });
    await kubelet.finished(namespace, job);
    expect(await observe()).toMatchObject({ state: 'Failed', ...expected });
  }, 60_000);

  it('tells of too little memory and names the field', async () => {
    await create();
    await kubelet.end(namespace, job, 137, { reason: 'OOMKilled' });
    await kubelet.finished(namespace, job);
    expect(await observe()).toMatchObject({ terminal: false, disrupted: false, message: expect.stringContaining('spec.resources.limits.memory') });
  }, 60_000);

  it.each([
    ['evicted', () => kubelet.evict(namespace, job)],
    ['interrupted at its checkpoint', () => kubelet.end(namespace, job, 75)],
  ])('whose pod was %s goes on in another pod of the same Job', async (_title, interrupt) => {
    await create();
    const first = await kubelet.start(namespace, job);
    await interrupt();
    const second = await kubelet.pod(namespace, job);
    expect(second.metadata?.uid).not.toBe(first.metadata?.uid);
    expect(await observe()).toMatchObject({ state: 'Pending', attempt: 1 });
    await kubelet.end(namespace, job, 0);
    await kubelet.finished(namespace, job);
    expect(await observe()).toMatchObject({ state: 'Succeeded' });
  }, 60_000);

  it('stopped counts as running until its pod is gone, and then as not being there', async () => {
    await watching(async (following) => {
      await create();
      const pod = await kubelet.start(namespace, job);
      await following.stop(owner(), job);
      await expect.poll(async () => (await cluster.client.find<{ metadata: { deletionTimestamp?: string } }>(podPath(namespace, pod.metadata!.name)))?.metadata.deletionTimestamp, SOON).toBeDefined();
      await following.stop(owner(), job);
      expect(await observe(following)).toMatchObject({ state: 'Running' });
      await kubelet.release(namespace, job);
      await expect.poll(() => observe(following), SOON).toBeUndefined();
      await following.stop(owner(), job);
    });
  }, 60_000);

  it('with a queue is made suspended, and stays as its queue admitted it', async () => {
    await create({ queueName: 'gpus' });
    const { metadata, spec } = await stored();
    expect([spec?.suspend, metadata?.labels?.['kueue.x-k8s.io/queue-name']]).toEqual([true, 'gpus']);
    expect(await observe()).toMatchObject({ state: 'Pending', obstacle: { reason: 'WaitingForQueue', message: 'waiting for queue gpus to admit the job' } });
    // What Kueue does: it lets the Job go and says where to.
    await cluster.kubectl('-n', namespace, 'patch', 'job', job, '--type=merge', '-p', '{"spec":{"suspend":false,"template":{"spec":{"nodeSelector":{"pool":"a"}}}}}');
    await create({ queueName: 'gpus' });
    expect((await stored()).spec).toMatchObject({ suspend: false, template: { spec: { nodeSelector: { pool: 'a' } } } });
    await kubelet.pod(namespace, job);
    expect(await observe()).not.toHaveProperty('obstacle');
  }, 60_000);

  it('is not taken for one of the same name that belongs to somebody else', async () => {
    const stranger = await cluster.createResource(aCrawlJob('stranger'), namespace);
    await driver.create({ ...anAssignment(stranger), job }, {});
    await expect(create()).rejects.toMatchObject({ code: 'JobRefused', reason: 'NameTaken', message: expect.stringContaining(job) });
    expect(await observe()).toBeUndefined();
  });

  it('has the logs of all its pods, and none while there is none', async () => {
    await create();
    expect(await driver.log(owner(), job)).toBeUndefined();
    await kubelet.start(namespace, job);
    expect(await driver.log(owner(), job)).toBeUndefined();
    await kubelet.end(namespace, job, 75, { tail: 'saved' });
    expect(await driver.log(owner(), job)).toBe('saved\n');
    await kubelet.end(namespace, job, 0, { tail: 'done' });
    expect(await driver.log(owner(), job)).toMatch(/^--- faces-crawl-1-\w+\nsaved\n--- faces-crawl-1-\w+\ndone\n$/);
  }, 60_000);

  it('goes with its resource', async () => {
    await create();
    await kubelet.pod(namespace, job);
    await cluster.kubectl('-n', namespace, 'delete', 'crawljob', 'faces');
    await expect.poll(async () => (await cluster.client.list(jobPath(namespace))).items.length + (await cluster.client.list(podPath(namespace))).items.length, SOON).toBe(0);
  }, 60_000);

  it('too long for a pod is refused with the mend', async () => {
    const assignment = { ...anAssignment(resource), config: { catalog: 'x'.repeat(300_000) } };
    await expect(driver.create(assignment, {})).rejects.toMatchObject({ reason: 'InvalidConfiguration', message: expect.stringContaining('give a long catalog by its url') });
  });

  describe('that cannot be made or started says why, and goes on by itself once that is mended', () => {
    it('a quota on Jobs', async () => {
      await cluster.kubectl('-n', namespace, 'create', 'quota', 'jobs', '--hard=count/jobs.batch=0');
      await expect.poll(() => create().then(() => 'made', (error: { reason?: string }) => error.reason), SOON).toBe('QuotaExceeded');
      await cluster.kubectl('-n', namespace, 'delete', 'quota', 'jobs');
      await expect.poll(() => create().then(() => 'made', (error: { reason?: string }) => error.reason), SOON).toBe('made');
    }, 60_000);

    it('a quota on pods', async () => {
      await cluster.kubectl('-n', namespace, 'create', 'quota', 'pods', '--hard=pods=0');
      await cluster.until('the quota is known', async () => (await cluster.kubectl('-n', namespace, 'get', 'quota', 'pods', '-o', 'jsonpath={.status.hard.pods}')) === '0');
      await watching(async (following) => {
        await create();
        await expect.poll(async () => (await observe(following))?.obstacle, SOON).toMatchObject({ reason: 'QuotaExceeded', message: expect.stringContaining('exceeded quota: pods') });
        await cluster.kubectl('-n', namespace, 'delete', 'quota', 'pods');
        await kubelet.pod(namespace, job);
        await expect.poll(async () => (await observe(following))?.obstacle, SOON).toBeUndefined();
      });
    }, 120_000);

    it('a ServiceAccount that is not there', async () => {
      const asked: string[] = [];
      const client = cluster.clientOf({ onRequest: (verb) => asked.push(verb) });
      const lacking = new JobDriver({ client, namespaces: [namespace], pods: aWorkerPods({ serviceAccount: 'nobody' }), log: () => undefined });
      driver = lacking;
      await watching(async (following) => {
        await observe(following);
        asked.length = 0;
        await create({}, lacking);
        await expect.poll(async () => (await observe(following))?.obstacle, SOON).toMatchObject({ reason: 'PodRefused', message: expect.stringContaining('serviceaccount "nobody" not found') });
        // It was heard of: to ask for every Job that has no pod would be too much where very many wait.
        expect(asked.filter((verb) => verb === 'get' || verb === 'list')).toEqual([]);
        await cluster.kubectl('-n', namespace, 'create', 'serviceaccount', 'nobody');
        await kubelet.pod(namespace, job);
        await expect.poll(async () => (await observe(following))?.obstacle, SOON).toBeUndefined();
      });
    }, 120_000);

    it('a namespace that is being deleted', async () => {
      await cluster.client.merge(`/apis/caricature.dev/v1alpha1/namespaces/${namespace}/crawljobs/faces`, { metadata: { finalizers: ['example.org/stay'] } });
      await cluster.client.delete(`/api/v1/namespaces/${namespace}`);
      await expect(create()).rejects.toMatchObject({ reason: 'NamespaceTerminating', message: expect.stringContaining(namespace) });
      await cluster.client.merge(`/apis/caricature.dev/v1alpha1/namespaces/${namespace}/crawljobs/faces`, { metadata: { finalizers: null } });
    });

    it('a namespace that is gone', async () => {
      const gone = { ...resource, metadata: { ...resource.metadata, namespace: 'nowhere' } } as Resource;
      await expect(driver.create(anAssignment(gone), {})).rejects.toMatchObject({ reason: 'JobRefused', message: 'namespace nowhere is gone' });
    });

    it.each([
      ['an image that does not exist', 'ImagePullBackOff', 'ImageUnavailable'],
      ['a Secret that is not there', 'CreateContainerConfigError', 'PodMisconfigured'],
    ])('%s', async (_title, waiting, reason) => {
      await create();
      await kubelet.wait(namespace, job, waiting, 'what the kubelet says');
      expect(await observe()).toMatchObject({ state: 'Pending', obstacle: { reason, message: expect.stringContaining('what the kubelet says') } });
      await kubelet.start(namespace, job);
      expect(await observe()).toMatchObject({ state: 'Running' });
    });

    it('a GPU that nobody has', async () => {
      await create({ resources: { limits: { 'nvidia.com/gpu': 8 } } });
      const message = '0/3 nodes are available: 3 Insufficient nvidia.com/gpu.';
      await kubelet.say(await kubelet.pod(namespace, job), { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] });
      expect((await observe())?.obstacle).toMatchObject({ reason: 'Unschedulable', message: expect.stringContaining('Insufficient nvidia.com/gpu') });
      await kubelet.start(namespace, job);
      expect(await observe()).toMatchObject({ state: 'Running' });
    });
  });
});
