import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createArtifactStore } from '../create-artifact-store.js';
import { freePort, startS3Server, type S3Server } from '../testing/s3.server.js';
import { toArtifactError } from './s3-failure.js';

let server: S3Server;
beforeAll(async () => {
  server = await startS3Server();
  await server.createBucket('models');
});
afterAll(() => server?.stop());

describe('S3ArtifactStore', () => {
  it('notices bytes changed behind its back, by the digest it recorded', async () => {
    const store = createArtifactStore('s3://models/team', { s3: server.options });
    await store.put('a', Buffer.from('bytes'));
    await writeFile(join(server.folder, 'models', 'team', 'a'), 'bytez');
    await expect(store.get('a')).rejects.toMatchObject({ code: 'ArtifactCorrupt', file: 'a' });
  });

  it('keeps stores of other prefixes apart', async () => {
    const [one, two] = ['s3://models/one', 's3://models/on'].map((uri) => createArtifactStore(uri, { s3: server.options }));
    await one!.put('a', Buffer.from('1'));
    expect(await two!.list('')).toEqual([]);
    await two!.remove('');
    expect(await one!.head('a')).toMatchObject({ bytes: 1 });
  });

  it('names a missing bucket, wrong credentials and a dead endpoint', async () => {
    const read = (uri: string, s3 = server.options) => createArtifactStore(uri, { s3 }).get('a');
    await expect(read('s3://nowhere')).rejects.toMatchObject({ code: 'BucketMissing', retryable: false });
    const credentials = { accessKeyId: 'test-access', secretAccessKey: 'wrong' };
    await expect(read('s3://models', { ...server.options, credentials })).rejects.toMatchObject({ code: 'AccessDenied' });
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    await expect(read('s3://models', { ...server.options, endpoint })).rejects.toMatchObject({ code: 'StoreUnreachable', retryable: true });
  });

  it('does not wait for ever for a service that went silent, before its answer or within it', async () => {
    const silent = createServer((socket) => {
      socket.on('data', (request) => {
        if (String(request).includes('/begun')) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf');
      });
      socket.on('error', () => {});
    }).listen(0, '127.0.0.1');
    try {
      await once(silent, 'listening');
      const endpoint = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const store = createArtifactStore('s3://models', { s3: { ...server.options, endpoint, silenceMs: 200 } });
      await expect(store.get('never')).rejects.toMatchObject({ code: 'StoreUnreachable', retryable: true });
      await expect(store.get('begun')).rejects.toMatchObject({ retryable: true });
      store.close();
    } finally {
      silent.close();
    }
  });

  it('tells a full store from other failures', () => {
    const full = Object.assign(new Error('Storage backend has reached its minimum free drive threshold.'), { name: 'XMinioStorageFull' });
    expect(toArtifactError(full, 'a', 's3://models')).toMatchObject({ code: 'StorageFull', retryable: true });
    const other = Object.assign(new Error('We encountered an internal error.'), { name: 'InternalError' });
    expect(toArtifactError(other, 'a', 's3://models')).toMatchObject({ code: 'StorageFailed' });
  });
});

describe('createArtifactStore', () => {
  it.each(['/tmp/x', 'http://host/x', 'file://host/x', 's3://', 's3://key:secret@bucket', 's3://bucket/a?b=c', 's3://bucket/100%'])('refuses %s and says what it takes', (uri) => {
    expect(() => createArtifactStore(uri)).toThrow(expect.objectContaining({ code: 'InvalidUri', message: expect.stringContaining('file:///folder or s3://bucket') }));
  });

  it('keeps the root of its URI', () => {
    expect(createArtifactStore('s3://bucket/a/b/').uri).toBe('s3://bucket/a/b');
    expect(createArtifactStore('file:///tmp/with%20space/').localRoot).toBe('/tmp/with space');
  });
});
