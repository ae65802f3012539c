import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Lease } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { leasePath } from '../client/api-path.js';
import type { Fence, KubernetesClient } from '../client/kubernetes.client.js';
import { SilentProxy } from '../testing/silent.proxy.js';
import { TestCluster } from '../testing/test-cluster.js';
import { LeaderElection } from './leader-election.js';

const SOON = { timeout: 20_000, interval: 20 };
const NAME = 'controller';

describe('of several candidates', () => {
  let cluster: TestCluster;
  let namespace: string;
  const candidates: Candidate[] = [];

  beforeAll(async () => void (cluster = new TestCluster(await startControlPlane())), 180_000);
  afterAll(() => cluster?.stop());
  beforeEach(async () => void (namespace = await cluster.namespace()));
  afterEach(async () => void (await Promise.all(candidates.splice(0).map((candidate) => candidate.stop()))));

  const holder = async () => (await cluster.client.find<V1Lease>(leasePath(namespace, NAME)))?.spec?.holderIdentity;
  const maps = (name?: string) => `/api/v1/namespaces/${namespace}/configmaps${name ? `/${name}` : ''}`;
  const aMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

  function stand(identity: string, client: KubernetesClient = cluster.client): Candidate {
    const candidate = new Candidate(identity, client, namespace);
    candidates.push(candidate);
    return candidate;
  }

  it('one leads, and hands over at once when it steps down', async () => {
    const one = stand('one');
    await expect.poll(() => one.leads, SOON).toBe(true);
    const two = stand('two');
    await sleep(1_000);
    expect([two.terms, await holder()]).toEqual([0, 'one']);
    await one.stop();
    await expect.poll(() => two.leads, SOON).toBe(true);
    expect(await holder()).toBe('two');
    expect((await cluster.client.get<V1Lease>(leasePath(namespace, NAME))).spec?.leaseTransitions).toBe(2);
  }, 30_000);

  it('one that is cut off stops before another leads, and writes nothing any more', async () => {
    const proxy = await SilentProxy.to(cluster.plane.url);
    const one = stand('one', cluster.clientOf({ url: proxy.url }));
    await expect.poll(() => one.leads, SOON).toBe(true);
    const two = stand('two');
    await one.write(maps(), aMap('while-leading'));
    proxy.refuse();
    await expect.poll(() => two.leads, SOON).toBe(true);
    expect(one.leads).toBe(false);
    expect(one.endedAt).toBeLessThan(two.beganAt);
    proxy.accept();
    await expect(one.write(maps(), aMap('after-it'))).rejects.toMatchObject({ code: 'Deposed' });
    expect(await cluster.client.find(maps('after-it'))).toBeUndefined();
    await one.stop();
    await proxy.stop();
  }, 60_000);

  it('one that was stopped for longer than its lease writes nothing when it wakes', async () => {
    const one = stand('one');
    await expect.poll(() => one.leads, SOON).toBe(true);
    // As if the process had been frozen: neither its timers nor its renewals run.
    const until = performance.now() + 1_500;
    while (performance.now() < until);
    await expect(one.write(maps(), aMap('late'))).rejects.toMatchObject({ code: 'Deposed' });
  });

  it('one whose lease somebody else took steps down at its next renewal', async () => {
    const one = stand('one');
    await expect.poll(() => one.leads, SOON).toBe(true);
    await cluster.client.merge(leasePath(namespace, NAME), { spec: { holderIdentity: 'stranger' } });
    await expect.poll(() => one.leads, SOON).toBe(false);
    await expect(one.write(maps(), aMap('late'))).rejects.toMatchObject({ code: 'Deposed' });
    // The stranger never renews: after a lease's time it is taken back.
    await expect.poll(() => one.leads, SOON).toBe(true);
    expect(one.terms).toBe(2);
  }, 60_000);

  it('one that outlives a restart of the API server leads on or is followed, and two never lead at once', async () => {
    const all = [stand('one'), stand('two'), stand('three')];
    await expect.poll(() => all.some(({ leads }) => leads), SOON).toBe(true);
    let most = 0;
    const watching = setInterval(() => (most = Math.max(most, all.filter(({ leads }) => leads).length)), 1);
    await cluster.plane.services['kube-apiserver'].kill('SIGKILL');
    await sleep(1_500);
    expect(all.filter(({ leads }) => leads)).toEqual([]);
    cluster.plane.services['kube-apiserver'].start();
    await cluster.plane.untilReady();
    await expect.poll(() => all.some(({ leads }) => leads), SOON).toBe(true);
    clearInterval(watching);
    expect(most).toBe(1);
  }, 60_000);
});

/** Stands for election, and does nothing else while it leads but notice that it does. */
class Candidate {
  leads = false;
  terms = 0;
  beganAt = Infinity;
  endedAt = Infinity;
  private fence: Fence | undefined;
  private readonly end = new AbortController();
  private readonly running: Promise<void>;

  constructor(identity: string, private readonly client: KubernetesClient, namespace: string) {
    const election = new LeaderElection({ client, namespace, name: NAME, identity, log: () => undefined, leaseMs: 2_000, renewDeadlineMs: 1_000, retryMs: 150 });
    this.running = election.run((fence) => this.lead(fence), this.end.signal);
  }

  /** Writes as the leader it is or was. */
  write(path: string, body: object): Promise<object> {
    return this.client.fenced(this.fence!).create(path, body);
  }

  async stop(): Promise<void> {
    this.end.abort();
    await this.running;
  }

  private async lead(fence: Fence): Promise<void> {
    Object.assign(this, { fence, leads: true, terms: this.terms + 1, beganAt: performance.now() });
    await new Promise((resolve) => fence.signal.addEventListener('abort', resolve, { once: true }));
    Object.assign(this, { leads: false, endedAt: performance.now() });
  }
}
