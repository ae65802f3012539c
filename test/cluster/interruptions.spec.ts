import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHART, RELEASE, type Manifest } from '../charts/chart.js';
import { useCluster, type Cluster } from './cluster.mjs';
import { bringImagesToCluster } from './images.mjs';
import { Installation } from './installation.js';
import { OwnNode } from './own-node.js';
import { makePreviousChart } from './previous-chart.js';
import { outcomeOf, repetitionsIn, resultOf } from './run-outcome.js';
import { RunPods } from './run-pods.js';
import { retold, tinyResources, type Stage } from './tiny-resources.js';

const MINUTE = 60_000;
const HURRIED = `hurried-${process.pid}`;
const TEAM = `team-${process.pid}`;
const SOON = { timeout: 2 * MINUTE, interval: 300 };

describe('what happens on a cluster to a run, and to the release that it belongs to:', () => {
  let cluster: Cluster;
  let chart: Installation;
  let crawl: Manifest;
  let quiet: Manifest;
  let drained: string | undefined;
  const kubectl = (...args: string[]) => chart.kubectl(...args);
  const uidOf = ({ metadata }: Manifest) => metadata['uid' as 'name'];
  const stagesOf = async (name: string, ...where: string[]) => ((await chart.get('trainingrun', name, ...where))['status']?.stages ?? []) as Stage[];
  const train = async (name: string) => (await stagesOf(name)).find((stage) => stage.name === 'train')!;
  const succeeded = (name: string) => kubectl('wait', '--for=condition=Succeeded', '--timeout=10m', `trainingrun/${name}`);
  const progressing = async (name: string) => (await chart.get('trainingrun', name))['status']?.conditions.find(({ type }: { type: string }) => type === 'Progressing') as { reason: string; message: string };
  const unscheduled = (name: string, why: string) => expect.poll(() => progressing(name), SOON).toMatchObject({ reason: 'Unschedulable', message: expect.stringContaining(why) });

  beforeAll(async () => {
    cluster = await useCluster({ log: console.log });
    if (cluster.isOwn) await bringImagesToCluster({ log: console.log });
    chart = await Installation.prepare(cluster, `interrupted-${process.pid}`);
    await kubectl('create', 'namespace', TEAM);
    await kubectl('label', 'namespace', TEAM, 'pod-security.kubernetes.io/enforce=restricted');
    [crawl, quiet] = await tinyResources(chart);
    quiet.metadata.name = 'quiet';
    await chart.upgrade(await makePreviousChart(join(chart.folder, 'previous')), '--set', `namespaces={${chart.namespace},${TEAM}}`, '--set', 'controller.podAnnotations.revision=first');
  }, 30 * MINUTE);
  afterAll(async () => {
    if (drained) await kubectl('uncordon', drained).catch(() => undefined);
    await kubectl('delete', 'priorityclass', HURRIED, '--ignore-not-found').catch(() => undefined);
    await kubectl('delete', 'namespace', TEAM, '--ignore-not-found', '--wait=false').catch(() => undefined);
    await chart?.remove();
  }, 3 * MINUTE);

  it('an upgrade that is rolled back leaves its pods alone', async () => {
    await chart.apply(crawl, quiet);
    const working = async () => (await chart.list('pods', '-l', 'app.kubernetes.io/name=caricature-worker')).filter(({ status }) => status.phase === 'Running').length;
    await expect.poll(working, { timeout: 3 * MINUTE, interval: 500 }).toBeGreaterThan(0);
    // Those that are still ending were replaced.
    const staying = async () => (await chart.list('pods', '-l', 'app.kubernetes.io/component=controller')).filter(({ metadata }) => !('deletionTimestamp' in metadata));
    const revisions = async () => (await staying()).map(({ metadata }) => metadata.annotations?.['revision']);
    const shortNames = async () => (await chart.get('crd', 'trainingruns.caricature.dev')).spec.names.shortNames as string[] | undefined;
    const token = await chart.secret('caricature-api', 'token');
    await chart.upgrade(CHART, '--reset-then-reuse-values', '--set', 'controller.podAnnotations.revision=second');
    expect([await revisions(), await shortNames()]).toEqual([['second', 'second'], ['trun']]);
    await chart.rollback(1);
    expect([await revisions(), await shortNames()]).toEqual([['first', 'first'], undefined]);
    expect(await chart.secret('caricature-api', 'token')).toBe(token);
    await succeeded('quiet');
    expect((await stagesOf('quiet')).map(({ attempts, cached }) => [attempts, cached])).toEqual(Array(6).fill([1, false]));
  }, 20 * MINUTE);

  describe('a training', () => {
    let pods: RunPods;
    beforeAll(async () => {
      // Nothing of it is taken from the run before, and it writes checkpoints more often: neither changes what comes out.
      const stormy = retold(quiet, 'stormy', 1);
      stormy.spec.train.checkpointEverySteps = 50;
      delete stormy.spec.publish;
      await chart.apply(stormy);
      pods = new RunPods(chart, 'stormy');
    });

    it('that is evicted goes on from its checkpoint', async () => {
      await pods.outlive(async ({ metadata: { name } }) => {
        const file = join(chart.folder, 'eviction.json');
        await writeFile(file, JSON.stringify({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: chart.namespace } }));
        await kubectl('create', '--raw', `/api/v1/namespaces/${chart.namespace}/pods/${name}/eviction`, '-f', file);
      });
    }, 5 * MINUTE);

    it('whose pod is deleted goes on', async () => {
      await pods.outlive(({ metadata: { name } }) => kubectl('delete', 'pod', name));
    }, 5 * MINUTE);

    // Its next attempt is another Job: Kubernetes makes a Job's pods anew after 10 s, 20 s, 40 s and so on.
    it('that runs out of memory is tried again, and goes on', async (context) => {
      if (!cluster.isOwn) return context.skip('only the node of a cluster of our own can have its memory narrowed');
      const node = await OwnNode.find();
      const before = (await train('stormy')).attempts;
      await pods.outlive(async (pod) => {
        const isDead = async () => (await chart.list('pods', '-l', 'caricature.dev/name=stormy')).some((each) => uidOf(each) === uidOf(pod) && each.status.phase === 'Failed');
        await node.starve(uidOf(pod), isDead);
      });
      expect((await train('stormy')).attempts).toBe(before + 1);
      const events = (await chart.list('events', '--field-selector', 'involvedObject.name=stormy,reason=StageRetried')).map((event) => event['message'] as string);
      expect(events).toEqual([expect.stringContaining('train failed: it used more memory than spec.resources.limits.memory allows (OOMKilled)')]);
    }, 8 * MINUTE);

    it('whose node is drained waits, says why, and goes on once a node is there', async () => {
      await pods.outlive(async ({ spec: { nodeName } }) => {
        drained = nodeName as string;
        await kubectl('drain', drained, '--pod-selector=caricature.dev/name=stormy', '--delete-emptydir-data', '--timeout=3m');
        await unscheduled('stormy', 'unschedulable');
        await kubectl('uncordon', drained);
      });
    }, 8 * MINUTE);

    it('that has to make way for a higher priority waits, and goes on once that is done', async () => {
      await kubectl('create', 'priorityclass', HURRIED, '--value=1000');
      await pods.outlive(async (pod) => {
        await chart.apply(aHurriedPod(pod));
        await kubectl('wait', '--for=condition=Ready', '--timeout=3m', 'pod/hurried');
        await unscheduled('stormy', 'nvidia.com/gpu');
        await kubectl('delete', 'pod', 'hurried');
      });
    }, 8 * MINUTE);

    it('ends with the very weights, losses and pictures of the one that nobody disturbed', async () => {
      await succeeded('stormy');
      const [undisturbed, disturbed] = [await outcomeOf(chart, 'quiet'), await outcomeOf(chart, 'stormy')];
      expect(resultOf(disturbed)).toEqual(resultOf(undisturbed));
      expect(Object.keys(undisturbed.series)).toEqual(expect.arrayContaining(['const', 'tid']));
      expect(disturbed.stages.map(({ name, cached }) => [name, cached])).toEqual([['prepare-faces', true], ['prepare-avatars', true], ['pretrain', true], ['train', false], ['evaluate', true]]);
      expect([...repetitionsIn(undisturbed), ...repetitionsIn(disturbed)]).toEqual([]);
    }, 11 * MINUTE);

    // What Kueue does: it sets spec.suspend of the Job to preempt it, as it did to admit it.
    it('that its queue takes back for another waits, and goes on from its checkpoint once it is admitted again', async () => {
      const queued = retold(quiet, 'queued', 4);
      queued.spec.queueName = 'gpus';
      delete queued.spec.publish;
      await chart.apply(queued);
      const jobs = () => chart.list('jobs', '-l', 'caricature.dev/stage=train,caricature.dev/name=queued');
      const suspend = async (value: boolean) => kubectl('patch', 'job', (await jobs())[0]!.metadata.name, '--type=merge', '-p', JSON.stringify({ spec: { suspend: value } }));
      const waits = () => expect.poll(() => progressing('queued'), SOON).toMatchObject({ reason: 'WaitingForQueue', message: expect.stringContaining('waiting for queue gpus to admit the job') });
      await waits();
      expect((await jobs()).map(({ spec }) => spec.suspend)).toEqual([true]);
      await suspend(false);
      await new RunPods(chart, 'queued').outlive(async () => {
        await suspend(true);
        await waits();
        await suspend(false);
      });
      await succeeded('queued');
      expect([(await jobs()).length, (await train('queued')).attempts]).toEqual([1, 1]);
      expect(resultOf(await outcomeOf(chart, 'queued'))).toEqual(resultOf(await outcomeOf(chart, 'quiet')));
    }, 10 * MINUTE);

    it('that can never have the memory it needs fails, and names the field to change', async () => {
      const hungry = retold(quiet, 'hungry', 2);
      Object.assign(hungry.spec, { backoffLimit: 1, resources: { requests: { cpu: '50m' }, limits: { memory: '160Mi' } } });
      delete hungry.spec.publish;
      await chart.apply(hungry);
      await kubectl('wait', '--for=condition=Failed', '--timeout=5m', 'trainingrun/hungry');
      const failed = (await chart.get('trainingrun', 'hungry'))['status'].conditions.find(({ type }: { type: string }) => type === 'Failed');
      expect(failed).toMatchObject({ reason: 'BackoffLimitExceeded', message: expect.stringMatching(/^train failed: it used more memory than spec\.resources\.limits\.memory allows \(OOMKilled\).*given up after 2 attempts/s) });
    }, 6 * MINUTE);
  });

  it('deleted, it takes along what nobody else has, where it is told to', async () => {
    const [own, shared] = [(await train('stormy')).artifact!, (await stagesOf('stormy')).find(({ name }) => name === 'pretrain')!.artifact!];
    expect(await chart.objects()).toContain(`${own.uri}/artifact.json`);
    await kubectl('patch', 'trainingrun', 'stormy', '--type=merge', '-p', '{"spec":{"deletionPolicy":"Delete"}}');
    await expect.poll(async () => (await chart.get('trainingrun', 'stormy')).metadata['finalizers' as 'name'], SOON).toEqual(['caricature.dev/jobs']);
    await kubectl('delete', 'trainingrun', 'stormy', '--timeout=2m');
    const left = await chart.objects();
    expect(left.filter((uri) => uri.includes(own.key))).toEqual([]);
    expect(left).toContain(`${shared.uri}/artifact.json`);
    expect(left).toContain(`${(await train('quiet')).artifact!.uri}/artifact.json`);
  }, 4 * MINUTE);

  it('in a namespace that is deleted, it ends, and the controller goes on elsewhere, a new leader too', async () => {
    const guest = retold(quiet, 'guest', 3);
    delete guest.spec.publish;
    await chart.applyIn(TEAM, crawl, guest);
    await new RunPods(chart, 'guest', TEAM).atWork();
    await kubectl('delete', 'namespace', TEAM, '--timeout=3m');
    const works = async (name: string) => {
      await chart.apply({ ...quiet, metadata: { name } });
      await succeeded(name);
      expect((await stagesOf(name)).map(({ cached }) => cached)).toEqual(Array(6).fill(true));
    };
    await works('after-it');
    const leader = (await chart.get('lease', 'caricature-controller')).spec.holderIdentity.split('_')[0] as string;
    await kubectl('delete', 'pod', leader);
    await kubectl('rollout', 'status', 'deployment/caricature-controller', '--timeout=3m');
    await works('after-the-leader');
    expect((await chart.list('pods', '-l', 'app.kubernetes.io/component=controller')).map(({ status }) => status.containerStatuses[0].restartCount)).toEqual([0, 0]);
  }, 10 * MINUTE);

  it('outlives the release: what an uninstall leaves is found by the next installation, and a suspended run goes on', async () => {
    const asleep = retold(quiet, 'asleep', 5);
    delete asleep.spec.publish;
    await chart.apply(asleep);
    const pods = new RunPods(chart, 'asleep');
    await pods.atWork();
    const suspend = (value: boolean) => kubectl('patch', 'trainingrun', 'asleep', '--type=merge', '-p', JSON.stringify({ spec: { suspend: value } }));
    await suspend(true);
    await kubectl('wait', '--for=condition=Suspended', '--timeout=2m', 'trainingrun/asleep');
    await expect.poll(async () => (await pods.list()).length, SOON).toBe(0);
    const before = await chart.objects();
    await chart.helm('uninstall', RELEASE, '--wait', '--timeout', '3m');
    expect((await kubectl('get', 'crd', '-o', 'name')).split('\n')).toEqual(expect.arrayContaining([expect.stringContaining('crawljobs.caricature.dev'), expect.stringContaining('trainingruns.caricature.dev')]));
    const names = async (kind: string) => (await chart.list(kind)).map(({ metadata }) => metadata.name).sort();
    expect(await names('trainingruns')).toEqual(['after-it', 'after-the-leader', 'asleep', 'hungry', 'queued', 'quiet']);
    expect(await names('pvc')).toHaveLength(2);
    expect((await names('secrets')).filter((name) => name.startsWith('caricature-'))).toEqual(['caricature-artifacts', 'caricature-postgresql']);
    expect(await names('deployments')).toEqual([]);
    await chart.upgrade();
    expect(await chart.objects()).toEqual(expect.arrayContaining(before));
    await suspend(false);
    const next = await pods.atWork();
    expect(await pods.log(next.metadata.name)).toContain('going on from the last checkpoint');
    await succeeded('asleep');
    expect((await train('asleep')).artifact!.digest).toBe((await train('quiet')).artifact!.digest);
  }, 12 * MINUTE);
});

/** Wants all GPUs of the node that the pod runs on, and does nothing with them. */
function aHurriedPod({ spec }: Manifest): Manifest {
  const { image, securityContext } = spec.containers[0];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'hurried' },
    spec: {
      priorityClassName: HURRIED,
      securityContext: spec.securityContext,
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'idle', image, securityContext, command: ['node', '-e', 'setInterval(() => {}, 1000)'], resources: { limits: { memory: '64Mi', 'nvidia.com/gpu': 2 } } }],
    },
  };
}
