import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createArtifactStore } from '@caricature/artifacts';
import { createDatabase } from '@caricature/database';
import { ControllerMetrics, createRegistry } from '@caricature/metrics';
import { freePort, startS3Server, type S3Server } from '../../../../libs/artifacts/src/testing/s3.server.js';
import { readControllerEnv } from '../controller.env.js';
import { createKubernetesPlatform } from './kubernetes.platform.js';
import { createLocalPlatform } from './local.platform.js';
import { createSourceFingerprint } from './source-fingerprint.js';

const URI = 's3://photos/team';
const local = (uri: string) => Promise.resolve(uri.startsWith('file://') ? `of ${uri}` : undefined);

it('other addresses are told of by the platform', async () => {
  const fingerprint = createSourceFingerprint(local, () => Promise.reject(new Error('not to be asked')));
  expect(await fingerprint('file:///photos')).toBe('of file:///photos');
  expect(await fingerprint('synthetic://people')).toBeUndefined();
});

it('an address is listed once a minute, however many ask', async () => {
  let [ms, listings] = [0, 0];
  const fingerprint = createSourceFingerprint(local, (uri) => Promise.resolve(`${uri} ${++listings}`), () => ms);
  expect(await Promise.all([fingerprint(URI), fingerprint(URI), fingerprint('s3://photos/other')])).toEqual([`${URI} 1`, `${URI} 1`, 's3://photos/other 2']);
  ms = 59_000;
  expect(await fingerprint(URI)).toBe(`${URI} 1`);
  ms = 60_000;
  expect(await fingerprint(URI)).toBe(`${URI} 3`);
});

describe('of an address in S3', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startS3Server();
    await server.createBucket('photos');
  });
  afterAll(() => server?.stop());
  beforeEach(() => {
    vi.stubEnv('CARICATURE_S3_ENDPOINT', server.options.endpoint!);
    vi.stubEnv('AWS_ACCESS_KEY_ID', server.options.credentials!.accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.options.credentials!.secretAccessKey);
  });
  afterEach(() => vi.unstubAllEnvs());

  it('there is none where there is nothing, which the stage will say; a minute later there may be', async () => {
    let ms = 0;
    const fingerprint = createSourceFingerprint(local, undefined, () => ms);
    for (const uri of [URI, 's3://nowhere/team', 's3://photos/100%']) expect(await fingerprint(uri)).toBeUndefined();
    const store = createArtifactStore(URI);
    await store.put('ann/1.png', Buffer.from('x'));
    store.close();
    ms = 60_000;
    expect(await fingerprint(URI)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('both platforms tell the same', async () => {
    // Neither is asked for anything else here.
    const database = createDatabase('postgresql://nobody@127.0.0.1:1/nothing');
    const env = readControllerEnv({ CARICATURE_PLATFORM: 'kubernetes', CARICATURE_WORKER_IMAGE: 'worker', CARICATURE_PUBLIC_URL: 'http://controller', CARICATURE_DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/nothing', CARICATURE_ARTIFACTS_URI: 's3://artifacts' });
    const platforms = [createLocalPlatform(env, database, [], () => undefined), createKubernetesPlatform(env.kubernetes!, database, new ControllerMetrics(createRegistry(), () => 0), () => undefined)];
    const store = createArtifactStore('s3://photos/both');
    await store.put('ann/1.png', Buffer.from('x'));
    store.close();
    const [here, there] = await Promise.all(platforms.map((platform) => platform.folderFingerprint('s3://photos/both')));
    expect(here).toMatch(/^[0-9a-f]{64}$/);
    expect(there).toBe(here);
    await Promise.all([...platforms, database].map((one) => one.close()));
  });

  it('a store that cannot be reached is an error, and asked again by the next who asks', async () => {
    const fingerprint = createSourceFingerprint(local);
    vi.stubEnv('CARICATURE_S3_ENDPOINT', `http://127.0.0.1:${await freePort()}`);
    await expect(fingerprint(URI)).rejects.toMatchObject({ code: 'StoreUnreachable', retryable: true });
    vi.stubEnv('CARICATURE_S3_ENDPOINT', server.options.endpoint!);
    expect(await fingerprint(URI)).toMatch(/^[0-9a-f]{64}$/);
  });
});
