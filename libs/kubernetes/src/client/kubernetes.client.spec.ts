import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig, type V1ConfigMap } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import { SilentProxy } from '../testing/silent.proxy.js';
import { kubeConfigOf, TestCluster } from '../testing/test-cluster.js';
import { Connection } from './connection.js';
import { FIELD_MANAGER, KubernetesClient } from './kubernetes.client.js';

describe('a client of the API server', () => {
  let cluster: TestCluster;
  let namespace: string;
  let folder: string;
  const maps = (name?: string) => `/api/v1/namespaces/${namespace}/configmaps${name ? `/${name}` : ''}`;
  const aMap = (name: string, data: Record<string, string>) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });

  beforeAll(async () => {
    cluster = new TestCluster(await startControlPlane());
    [namespace, folder] = await Promise.all([cluster.namespace(), mkdtemp(join(tmpdir(), 'caricature-client-'))]);
  }, 180_000);
  afterAll(async () => {
    await cluster?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('uses few connections for many requests', async () => {
    const proxy = await SilentProxy.to(cluster.plane.url);
    const client = cluster.clientOf({ url: proxy.url });
    for (let i = 0; i < 50; i++) await client.get('/version');
    expect(proxy.connections).toBeLessThan(5);
    await proxy.stop();
  });

  it('goes on with a new token when the old one is no longer accepted', async () => {
    const tokenFile = join(folder, 'token');
    // Deleting the Secret that a token is bound to ends the token.
    const tokenBoundTo = async (secret: string) => {
      await cluster.client.create(`/api/v1/namespaces/${namespace}/secrets`, { apiVersion: 'v1', kind: 'Secret', metadata: { name: secret } });
      return (await cluster.kubectl('-n', namespace, 'create', 'token', 'reader', '--bound-object-kind=Secret', `--bound-object-name=${secret}`)).trim();
    };
    await cluster.kubectl('-n', namespace, 'create', 'serviceaccount', 'reader');
    await cluster.kubectl('-n', namespace, 'create', 'rolebinding', 'reader', '--clusterrole=cluster-admin', `--serviceaccount=${namespace}:reader`);
    const [first, second] = [await tokenBoundTo('first'), await tokenBoundTo('second')];
    const loadFromFile = () => kubeConfigOf({ url: cluster.plane.url, ca: cluster.plane.ca, user: { authProvider: { name: 'tokenFile', config: { tokenFile } } } });
    const connection = new Connection(loadFromFile);
    const codes: number[] = [];
    const client = new KubernetesClient({ connection, onRequest: (_verb, code) => void codes.push(code) });
    await writeFile(tokenFile, first);
    await client.list(maps());
    await cluster.kubectl('-n', namespace, 'delete', 'secret', 'first');
    const withFirst = cluster.clientOf({ token: first });
    // The server remembers for some seconds that a token was good.
    await cluster.until('the first token is refused', () => withFirst.list(maps()).then(() => false, () => true));
    await writeFile(tokenFile, second);
    await client.list(maps());
    expect(codes).toEqual([200, 401, 200]);
    await connection.close();
  }, 60_000);

  it('applies what is its own under one name, and is refused what others have set', async () => {
    const applied = await cluster.client.apply<V1ConfigMap>(maps('shared'), aMap('shared', { ours: '1' }));
    expect(applied.metadata?.managedFields?.map(({ manager, operation }) => [manager, operation])).toEqual([[FIELD_MANAGER, 'Apply']]);
    await cluster.kubectl('-n', namespace, 'patch', 'configmap', 'shared', '--type=merge', '-p', '{"data":{"theirs":"1"}}');
    const again = await cluster.client.apply<V1ConfigMap>(maps('shared'), aMap('shared', { ours: '2' }));
    expect(again.data).toEqual({ ours: '2', theirs: '1' });
    await expect(cluster.client.apply(maps('shared'), aMap('shared', { theirs: '2' }))).rejects.toMatchObject({ code: 'Conflict', retryable: true });
  });

  it('applying the same again changes nothing', async () => {
    const once = await cluster.client.apply<V1ConfigMap>(maps('same'), aMap('same', { a: '1' }));
    const twice = await cluster.client.apply<V1ConfigMap>(maps('same'), aMap('same', { a: '1' }));
    expect(twice.metadata?.resourceVersion).toBe(once.metadata?.resourceVersion);
  });

  it('passes on what the models of the client library do not know', async () => {
    const stored = { ...aMap('plain', { a: '1' }), metadata: { name: 'plain', annotations: { 'example.org/anything': '{"x":1}' } } };
    await cluster.client.create(maps(), stored);
    expect(await cluster.client.find<V1ConfigMap>(maps('plain'))).toMatchObject(stored);
    expect(await cluster.client.find(maps('nothing'))).toBeUndefined();
  });

  it('says which request failed, in one word and with the mend', async () => {
    const stranger = cluster.clientOf({ token: 'not-a-token' });
    await expect(stranger.get('/version')).rejects.toMatchObject({ code: 'Unauthorized', retryable: false, message: expect.stringContaining('renew the kubeconfig') });
    const node = cluster.clientOf({ token: await unprivilegedToken() });
    await expect(node.list(maps())).rejects.toMatchObject({ code: 'Forbidden', message: expect.stringMatching(/cannot list resource "configmaps".*grant/s) });
    await expect(cluster.client.get(maps('nothing'))).rejects.toMatchObject({ code: 'NotFound', status: 404 });
    await expect(cluster.client.create(maps(), { ...aMap('Bad Name!', {}) })).rejects.toMatchObject({ code: 'Invalid' });
    await expect(cluster.clientOf({ url: 'https://127.0.0.1:1' }).get('/version')).rejects.toMatchObject({ code: 'Unreachable', retryable: true });
    await expect(new KubernetesClient({ connection: new Connection(() => new KubeConfig()) }).get('/version')).rejects.toMatchObject({ code: 'Unauthorized', message: expect.stringContaining('kubeconfig cannot be used') });
  });

  it('writes nothing once its fence is down, and reads on', async () => {
    const end = new AbortController();
    let holds = true;
    const fenced = cluster.client.fenced({ holds: () => holds, signal: end.signal });
    await fenced.create(maps(), aMap('before', {}));
    holds = false;
    for (const write of [() => fenced.create(maps(), aMap('after', {})), () => fenced.apply(maps('after'), aMap('after', {})), () => fenced.merge(maps('before'), { data: { a: '1' } }), () => fenced.delete(maps('before'))]) {
      await expect(write()).rejects.toMatchObject({ code: 'Deposed' });
    }
    expect(await fenced.find(maps('after'))).toBeUndefined();
    expect((await fenced.get<V1ConfigMap>(maps('before'))).data).toBeUndefined();
  });

  it('asks over several connections at once, not over streams of one (HTTP/2)', async () => {
    const proxy = await SilentProxy.to(cluster.plane.url);
    const client = cluster.clientOf({ url: proxy.url });
    await Promise.all(Array.from({ length: 10 }, () => client.list(maps())));
    expect(proxy.connections).toBeGreaterThan(1);
    await proxy.stop();
  });

  it('gives up a write under way when its fence falls', async () => {
    const proxy = await SilentProxy.to(cluster.plane.url);
    const end = new AbortController();
    const fenced = cluster.clientOf({ url: proxy.url }).fenced({ holds: () => true, signal: end.signal });
    await fenced.get('/version');
    proxy.silence();
    const writing = fenced.create(maps(), aMap('too-late', {}));
    end.abort();
    await expect(writing).rejects.toMatchObject({ code: 'Deposed' });
    await proxy.stop();
    expect(await cluster.client.find(maps('too-late'))).toBeUndefined();
  });

  async function unprivilegedToken(): Promise<string> {
    await cluster.kubectl('-n', namespace, 'create', 'serviceaccount', 'nobody');
    return (await cluster.kubectl('-n', namespace, 'create', 'token', 'nobody')).trim();
  }
});
