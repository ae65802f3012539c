import { rmSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createArtifactStore, downloadFolder, remoteFingerprint, type ArtifactStore } from './index.js';
import { freePort, startS3Server, type S3Server } from './testing/s3.server.js';

const NAMES = ['ann/1.png', 'ann/2.png', 'bob/deep/er/1.png', 'labels.csv', ...Array.from({ length: 20 }, (_, i) => `many/${i}.png`)].sort();
const URI = 's3://photos/team';

let server: S3Server;
let source: ArtifactStore;
let scratch: string;
let folder: string;

beforeAll(async () => {
  server = await startS3Server();
  await server.createBucket('photos');
});
afterAll(() => server?.stop());
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'caricature-remote-'));
  folder = join(scratch, 'photos');
  source = createArtifactStore(URI, { s3: server.options });
  for (const name of NAMES) await source.put(name, Buffer.from(`bytes of ${name}`));
  await createArtifactStore('s3://photos/teams', { s3: server.options }).put('of others.png', Buffer.from('x'));
});
afterEach(async () => {
  await source.remove('');
  source.close();
  await rm(scratch, { recursive: true, force: true });
});

const download = (options: Parameters<typeof downloadFolder>[2] = {}, uri = URI) => downloadFolder(uri, folder, { s3: server.options, ...options });
const filesOf = async (dir: string) => (await readdir(dir, { recursive: true, withFileTypes: true })).filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name).slice(dir.length + 1)).sort();

describe('a folder in S3', () => {
  it('comes with its whole tree, and tells how far it is', async () => {
    const told: [number, number][] = [];
    await download({ onProgress: (...of) => void told.push(of) });
    expect(await filesOf(folder)).toEqual(NAMES);
    for (const name of NAMES) expect(await readFile(join(folder, name), 'utf8')).toBe(`bytes of ${name}`);
    expect(told).toEqual(NAMES.map((_, i) => [i + 1, NAMES.length]));
    expect(await readdir(scratch)).toEqual(['photos']);
  });

  it('is fetched on from where it was stopped: what is there with its size is left alone', async () => {
    const stop = new AbortController();
    await expect(download({ signal: stop.signal, onProgress: (done) => done === 10 && stop.abort(new Error('stopped')) })).rejects.toThrow('stopped');
    const there = await filesOf(folder);
    expect(there.length).toBeGreaterThanOrEqual(10);
    expect(there.length).toBeLessThan(NAMES.length);
    const [kept, cut] = there as [string, string];
    await utimes(join(folder, kept), 1, 1);
    await writeFile(join(folder, cut), 'cut');
    await download();
    expect((await stat(join(folder, kept))).mtimeMs).toBe(1000);
    expect(await readFile(join(folder, cut), 'utf8')).toBe(`bytes of ${cut}`);
    expect(await filesOf(folder)).toEqual(NAMES);
    expect(await readdir(scratch)).toEqual(['photos']);
  });

  it('has another fingerprint once an object is changed at its size, added or removed, and the same otherwise', async () => {
    const fingerprint = () => remoteFingerprint(URI, { s3: server.options });
    const first = await fingerprint();
    expect(await fingerprint()).toBe(first);
    const seen = new Set([first]);
    for (const change of [() => source.put(NAMES[0]!, Buffer.from(`Bytes of ${NAMES[0]!}`)), () => source.put('more.png', Buffer.from('x')), () => source.remove(NAMES[1]!)]) {
      await change();
      seen.add(await fingerprint());
    }
    expect(seen.size).toBe(4);
  });

  describe.each([
    ['fetching', (uri: string, s3 = server.options) => download({ s3 }, uri)],
    ['its fingerprint', (uri: string, s3 = server.options) => remoteFingerprint(uri, { s3 })],
  ])('that cannot be had is named by %s:', (_title, ask) => {
    it('no objects, no bucket, no access, no server', async () => {
      await expect(ask('s3://photos/nobody')).rejects.toMatchObject({ code: 'NotFound', retryable: false, message: expect.stringContaining('no objects below s3://photos/nobody/') });
      await expect(ask('s3://nowhere/team')).rejects.toMatchObject({ code: 'BucketMissing', retryable: false, message: expect.stringContaining('s3://nowhere/team') });
      await expect(ask(URI, { ...server.options, credentials: { accessKeyId: 'test-access', secretAccessKey: 'wrong' } })).rejects.toMatchObject({ code: 'AccessDenied', retryable: false });
      await expect(ask(URI, { ...server.options, endpoint: `http://127.0.0.1:${await freePort()}` })).rejects.toMatchObject({ code: 'StoreUnreachable', retryable: true });
    });
  });

  it('that loses an object meanwhile is to be tried again', async () => {
    const last = NAMES.at(-1)!;
    // At the first progress no more than the first eight have been asked for.
    const lose = (done: number) => done === 1 && rmSync(join(server.folder, 'photos', 'team', last));
    await expect(download({ onProgress: lose })).rejects.toMatchObject({ code: 'StorageFailed', retryable: true, message: expect.stringContaining(`${last} was changed in ${URI} while`) });
    await download();
    expect(await filesOf(folder)).toEqual(NAMES.slice(0, -1));
  });
});
