import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import type { V1ConfigMap } from '@kubernetes/client-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { SilentProxy } from '../testing/silent.proxy.js';
import { TestCluster } from '../testing/test-cluster.js';
import { Reflector, type ReflectorOptions } from './reflector.js';

const SOON = { timeout: 20_000, interval: 20 };

describe('a copy of a collection', () => {
  let cluster: TestCluster;
  let proxy: SilentProxy;
  let path: string;
  const stops: (() => Promise<void>)[] = [];

  beforeAll(async () => {
    cluster = new TestCluster(await startControlPlane());
    proxy = await SilentProxy.to(cluster.plane.url);
  }, 180_000);
  afterAll(async () => {
    await proxy?.stop();
    await cluster?.stop();
  });
  beforeEach(async () => void (path = `/api/v1/namespaces/${await cluster.namespace()}/configmaps`));
  afterEach(async () => void (await Promise.all(stops.splice(0).map((stop) => stop()))));

  const write = (name: string, value: string, client: KubernetesClient = cluster.client) =>
    client.apply<V1ConfigMap>(`${path}/${name}`, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { value } });
  const remove = (name: string) => cluster.client.delete(`${path}/${name}`);

  /** Follows the ConfigMaps through the proxy. */
  function follow(options: Partial<ReflectorOptions<string>> = {}) {
    const changes: string[] = [];
    const restarts: string[] = [];
    const reflector = new Reflector<string>({
      client: cluster.clientOf({ url: proxy.url }),
      path,
      keep: (object) => (object as V1ConfigMap).data!['value']!,
      onChange: (key, after, before) => void changes.push(`${key.split('/')[1]}: ${before ?? 'nothing'} → ${after ?? 'nothing'}`),
      log: () => undefined,
      onRestart: (reason) => void restarts.push(reason),
      firstDelayMs: 50,
      ...options,
    });
    const stop = new AbortController();
    const running = reflector.run(stop.signal);
    stops.push(async () => {
      stop.abort();
      await running;
    });
    const copy = () => Object.fromEntries([...reflector.values()].entries());
    return { reflector, changes, restarts, copy };
  }

  async function restartServer(): Promise<void> {
    await cluster.plane.services['kube-apiserver'].kill('SIGKILL');
    cluster.plane.services['kube-apiserver'].start();
    await cluster.plane.untilReady();
  }

  it('holds what was there and follows every change, each told once', async () => {
    await write('a', '1');
    const { reflector, changes } = follow();
    await reflector.synced;
    await write('b', '1');
    await write('a', '2');
    await remove('b');
    await expect.poll(() => changes, SOON).toEqual(['a: nothing → 1', 'b: nothing → 1', 'a: 1 → 2', 'b: 1 → nothing']);
    expect([...reflector.values()]).toEqual(['2']);
  });

  it('goes on after the API server died, with nothing missed and nothing told twice', async () => {
    await write('a', '1');
    const { reflector, changes, restarts } = follow();
    await reflector.synced;
    await restartServer();
    await write('a', '2');
    await expect.poll(() => changes, SOON).toEqual(['a: nothing → 1', 'a: 1 → 2']);
    expect(restarts.length).toBeGreaterThan(0);
  }, 60_000);

  it('is listed anew when the server no longer has the version it was at, and tells what differs', async () => {
    await Promise.all([write('changed', '1'), write('gone', '1'), write('same', '1')]);
    const { reflector, changes, restarts } = follow();
    await reflector.synced;
    changes.length = 0;
    proxy.refuse();
    await Promise.all([write('changed', '2'), write('new', '1'), remove('gone')]);
    // A server that has just started remembers no earlier versions.
    await restartServer();
    proxy.accept();
    await expect.poll(() => [...changes].sort(), SOON).toEqual(['changed: 1 → 2', 'gone: 1 → nothing', 'new: nothing → 1']);
    expect(restarts).toContain('Expired');
    expect(reflector.size).toBe(3);
  }, 60_000);

  it('notices that its watch has gone silent, though the connection stands', async () => {
    const { reflector, changes, restarts } = follow({ watchSeconds: 1 });
    await reflector.synced;
    await write('a', '1');
    await expect.poll(() => changes, SOON).toEqual(['a: nothing → 1']);
    proxy.silence();
    await write('a', '2');
    await expect.poll(() => changes, { ...SOON, timeout: 60_000 }).toEqual(['a: nothing → 1', 'a: 1 → 2']);
    expect(restarts).toContain('Timeout');
  }, 90_000);

  it('has what was just written before the watch tells of it, and takes back nothing that is newer', async () => {
    const { reflector, changes } = follow();
    await reflector.synced;
    const first = await write('a', '1');
    reflector.put(first);
    expect([...reflector.values()]).toEqual(['1']);
    reflector.put(await write('a', '2'));
    reflector.put(first);
    expect([...reflector.values()]).toEqual(['2']);
    await remove('a');
    await expect.poll(() => reflector.size, SOON).toBe(0);
    reflector.put(first);
    expect(reflector.size).toBe(0);
    expect(changes).toEqual(['a: nothing → 1', 'a: 1 → 2', 'a: 2 → nothing']);
  });

  it('outlives an error of who listens', async () => {
    const onChange = vi.fn(() => {
      throw new Error('listener');
    });
    const { reflector } = follow({ onChange });
    await reflector.synced;
    await write('a', '1');
    await write('b', '1');
    await expect.poll(() => onChange.mock.calls.length, SOON).toBe(2);
    expect(reflector.size).toBe(2);
  });

  it('is listed in pages, and again by and by', async () => {
    await Promise.all(Array.from({ length: 20 }, (_, i) => write(`m${i}`, String(i))));
    const requests: string[] = [];
    const { reflector, changes } = follow({ client: cluster.clientOf({ onRequest: (verb) => void requests.push(verb) }), watchSeconds: 1, relistMs: 0 });
    await reflector.synced;
    await expect.poll(() => requests.filter((verb) => verb === 'list').length, SOON).toBeGreaterThan(2);
    expect(reflector.size).toBe(20);
    expect(changes.length).toBe(20);
  });

  it('holds of an object no more than what is kept of it, however often it changes', async () => {
    const seen: WeakRef<object>[] = [];
    const { reflector, copy } = follow({
      keep: (object) => {
        seen.push(new WeakRef(object));
        return (object as V1ConfigMap).data!['value']!;
      },
    });
    await reflector.synced;
    for (let i = 0; i < 30; i++) await write('a', String(i));
    await expect.poll(() => copy()[0], SOON).toBe('29');
    collectGarbage();
    expect(seen.length).toBe(30);
    expect(seen.filter((object) => object.deref()).length).toBeLessThan(3);
    expect(reflector.size).toBe(1);
  });
});

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
