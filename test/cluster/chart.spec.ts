import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHART, RELEASE } from '../charts/chart.js';
import { Prometheus } from '../charts/prometheus.js';
import { useCluster } from './cluster.mjs';
import { bringImagesToCluster } from './images.mjs';
import { Installation } from './installation.js';
import { makePreviousChart } from './previous-chart.js';
import { tinyResources, type Stage } from './tiny-resources.js';

const MINUTE = 60_000;
const WORKERS = ['-l', 'app.kubernetes.io/name=caricature-worker'];
const TRAINING = `${WORKERS[1]},caricature.dev/stage=train`;

describe('the chart on a cluster', () => {
  let chart: Installation;
  let prometheus: Prometheus | undefined;
  const kubectl = (...args: string[]) => chart.kubectl(...args);
  const shortNames = async () => (await chart.get('crd', 'trainingruns.caricature.dev')).spec.names.shortNames as string[] | undefined;
  const password = () => chart.secret('caricature-postgresql', 'password');
  const stagesOf = async (kind: string, name: string) => ((await chart.get(kind, name))['status']?.stages ?? []) as Stage[];
  const stage = async (run: string, name: string) => (await stagesOf('trainingrun', run)).find((s) => s.name === name);

  beforeAll(async () => {
    const cluster = await useCluster({ log: console.log });
    if (cluster.isOwn) await bringImagesToCluster({ log: console.log });
    chart = await Installation.prepare(cluster, `chart-${process.pid}`);
  }, 30 * MINUTE);
  afterAll(async () => {
    await prometheus?.stop();
    await chart?.remove();
  }, 3 * MINUTE);

  it('installs with everything bundled: all that it makes becomes ready', async () => {
    await chart.upgrade(await makePreviousChart(join(chart.folder, 'previous')));
    expect(await shortNames()).toBeUndefined();
    expect(await chart.podsOf('controller')).toHaveLength(2);
    expect(await chart.helm('test', RELEASE, '--logs')).toContain('ok   the API answers with the token');
  }, 8 * MINUTE);

  it('migrates the database once, with two replicas that start at once', async () => {
    const logs = await Promise.all((await chart.podsOf('controller')).map((pod) => kubectl('logs', pod)));
    const applied = logs.flatMap((log) => [...log.matchAll(/applying migration (\S+)/g)].map(([, name]) => name));
    expect(applied.length).toBeGreaterThan(0);
    expect(new Set(applied).size).toBe(applied.length);
  });

  it('is upgraded while a run is in flight: its pod goes on, passwords stay, definitions are brought up to date', async () => {
    prometheus = await Prometheus.start({ discover: () => chart.annotatedPods(), rules: [join(CHART, 'files/alerts.yaml')] });
    await chart.apply(...(await tinyResources(chart)));
    const crawlers = async () => (await chart.list('pods', '-l', 'caricature.dev/stage=crawl,caricature.dev/name=tiny-avatars')).map(({ metadata }) => metadata.labels?.['batch.kubernetes.io/job-completion-index']);
    await expect.poll(crawlers, { timeout: 3 * MINUTE, interval: 300 }).toEqual(expect.arrayContaining(['0', '1']));
    const working = async () => (await chart.list('pods', ...WORKERS)).filter(({ status }) => status.phase === 'Running').length;
    await expect.poll(working, { timeout: 3 * MINUTE, interval: 500 }).toBeGreaterThan(0);
    const before = { password: await password(), controllers: await chart.podsOf('controller') };
    await chart.upgrade(CHART, '--set', 'controller.podAnnotations.upgraded=yes');
    expect(await password()).toBe(before.password);
    expect(await shortNames()).toEqual(['trun']);
    // An old one may still be ending.
    await expect.poll(async () => (await chart.podsOf('controller')).filter((pod) => before.controllers.includes(pod)), { timeout: MINUTE, interval: 500 }).toEqual([]);
    await kubectl('wait', '--for=condition=Succeeded', '--timeout=10m', 'trainingrun/tiny');
    expect((await chart.get('crawljob', 'tiny-avatars'))['status']).toMatchObject({ progress: { images: 96 } });
    const stages = [...(await stagesOf('crawljob', 'tiny-avatars')), ...(await stagesOf('trainingrun', 'tiny'))];
    expect(stages.map((s) => [s.name, s.attempts, s.cached])).toEqual(['crawl', 'prepare-faces', 'prepare-avatars', 'pretrain', 'train', 'evaluate', 'publish'].map((name) => [name, 1, false]));
  }, 18 * MINUTE);

  it('trained on a GPU that the node advertised', async () => {
    const [pod] = await chart.list('pods', '-l', TRAINING);
    expect(pod!.spec.containers[0].resources.limits['nvidia.com/gpu']).toBe('1');
    expect(pod!.spec.nodeName).toBeTruthy();
  });

  it('has the losses in Prometheus, which found the pods by their annotations', async () => {
    const losses = async () => (await prometheus!.query(`caricature_training_loss{run="${chart.namespace}/tiny",stage="train"}`)).map(({ metric }) => metric['loss']);
    await expect.poll(losses, { timeout: MINUTE, interval: 1000 }).toEqual(expect.arrayContaining(['const', 'tid']));
    await expect.poll(async () => (await prometheus!.query('sum(caricature_leader)'))[0]?.value[1], { timeout: MINUTE, interval: 1000 }).toBe('1');
    expect((await prometheus!.alertRules()).filter(({ health }) => health !== 'ok')).toEqual([]);
  }, 2 * MINUTE);

  it('has every artifact in the S3 server', async () => {
    const stages = await stagesOf('trainingrun', 'tiny');
    const keys = await chart.objects();
    for (const { artifact } of stages) expect(keys).toContain(`${artifact!.uri}/artifact.json`);
  }, MINUTE);

  it('serves the model that the run published', async () => {
    const token = await chart.secret('caricature-inference', 'token');
    const body = new Uint8Array(await sharp({ create: { width: 64, height: 64, channels: 3, background: '#c08050' } }).jpeg().toBuffer());
    await chart.reach('caricature-inference', 3100, async (url) => {
      const ask = () => fetch(`${url}/v1/caricatures?crop=none`, { method: 'POST', headers: { 'content-type': 'image/jpeg', authorization: `Bearer ${token}` }, body });
      await expect.poll(() => ask().then((r) => r.headers.get('content-type'), (error: Error) => error.message), { timeout: 2 * MINUTE, interval: 1000 }).toBe('image/png');
    });
  }, 3 * MINUTE);

  describe('interrupted', () => {
    /** The very same computation under another key: nothing of it is taken from the cache. */
    beforeAll(async () => {
      const [, run] = await tinyResources(chart);
      run.metadata.name = 'again';
      run.spec.train.batchSize = 8;
      delete run.spec.publish;
      await chart.apply(run);
    });
    const pods = () => chart.list('pods', '-l', `${TRAINING},caricature.dev/name=again`);
    const podAtWork = async (): Promise<string> => {
      let found = '';
      const atWork = async () => {
        const pod = (await pods()).find(({ status, metadata }) => status.phase === 'Running' && !(metadata as { deletionTimestamp?: string }).deletionTimestamp);
        found = pod?.metadata.name ?? '';
        return found ? kubectl('logs', found).catch(() => '') : '';
      };
      await expect.poll(atWork, { timeout: 3 * MINUTE, interval: 300 }).toMatch(/checkpoint at step/);
      return found;
    };

    it('by its user, it writes a checkpoint, and goes on when told to', async () => {
      await podAtWork();
      await kubectl('patch', 'trainingrun', 'again', '--type=merge', '-p', '{"spec":{"suspend":true}}');
      await kubectl('wait', '--for=condition=Suspended', '--timeout=2m', 'trainingrun/again');
      await expect.poll(async () => (await pods()).length, { timeout: MINUTE, interval: 300 }).toBe(0);
      await kubectl('patch', 'trainingrun', 'again', '--type=merge', '-p', '{"spec":{"suspend":false}}');
      const pod = await podAtWork();
      expect(await kubectl('logs', pod)).toContain('going on from the last checkpoint');
    }, 6 * MINUTE);

    it('ends with the very weights of the run that nobody disturbed', async () => {
      await kubectl('wait', '--for=condition=Succeeded', '--timeout=10m', 'trainingrun/again');
      expect((await stage('again', 'pretrain'))!.cached).toBe(true);
      expect((await stage('again', 'train'))!.cached).toBe(false);
      expect((await stage('again', 'train'))!.artifact!.digest).toBe((await stage('tiny', 'train'))!.artifact!.digest);
    }, 11 * MINUTE);
  });
});
