import { link, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  artifactObject,
  createArtifactStore,
  createWorkArea,
  findArtifact,
  materializeArtifact,
  publishArtifact,
  removeArtifact,
  sha256,
  type ArtifactStore,
} from './index.js';
import { startS3Server, type S3Server } from './testing/s3.server.js';

let server: S3Server;
let scratch: string;

beforeAll(async () => {
  server = await startS3Server();
  await server.createBucket('artifacts');
});
afterAll(() => server?.stop());

/** A store and the folder where its objects lie as files, to damage them. */
const stores = {
  filesystem: () => ({ store: createArtifactStore(`file://${scratch}/root`), objects: `${scratch}/root` }),
  s3: () => {
    const prefix = scratch.slice(-6);
    return { store: createArtifactStore(`s3://artifacts/${prefix}`, { s3: server.options }), objects: join(server.folder, 'artifacts', prefix) };
  },
};

async function folder(name: string, files: Record<string, string>): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(scratch, name, path)), { recursive: true });
    await writeFile(join(scratch, name, path), content);
  }
  return join(scratch, name);
}

async function contentOf(dir: string): Promise<Record<string, string>> {
  const files = (await readdir(dir, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const pairs = files.map(async (entry) => {
    const file = join(entry.parentPath, entry.name);
    return [file.slice(dir.length + 1), await readFile(file, 'utf8')] as const;
  });
  return Object.fromEntries(await Promise.all(pairs));
}

describe.each(Object.entries(stores))('artifacts on %s', (kind, create) => {
  let store: ArtifactStore;
  let objects: string;
  let cache: string;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'caricature-artifact-'));
    ({ store, objects } = create());
    cache = join(scratch, 'cache');
  });
  afterEach(async () => {
    store.close();
    await rm(scratch, { recursive: true, force: true });
  });

  it('publishes a folder and gives it back', async () => {
    const files = { 'a.txt': 'A', 'deep/b.txt': 'B' };
    const dir = await folder('out', files);
    expect(await findArtifact(store, 'crawl', 'k1')).toBeUndefined();
    const published = await publishArtifact(store, { stage: 'crawl', key: 'k1', dir, from: ['d0'], metadata: { images: 2 } });
    expect(published).toMatchObject({ stage: 'crawl', key: 'k1', from: ['d0'], metadata: { images: 2 } });
    expect(published.files).toEqual([
      { path: 'a.txt', sha256: sha256('A'), bytes: 1 },
      { path: 'deep/b.txt', sha256: sha256('B'), bytes: 1 },
    ]);
    expect(published.digest).toBe(sha256(JSON.stringify(published.files.map(({ path, sha256: digest }) => ({ path, sha256: digest })))));
    expect(await findArtifact(store, 'crawl', 'k1')).toEqual(published);
    const local = await materializeArtifact(store, published, cache);
    const { 'artifact.json': _marker, ...content } = await contentOf(local);
    expect(content).toEqual(files);
    const { name, ...expected } = artifactObject(published, 'deep/b.txt');
    expect((await store.get(name, expected)).toString()).toBe('B');
  });

  it('keeps the first of two contents under one key, whole, and its files are never overwritten', async () => {
    const first = await folder('first', { 'a.txt': 'A', 'b.txt': 'B' });
    const second = await folder('second', { 'a.txt': 'other', 'c.txt': 'C' });
    const winner = await publishArtifact(store, { stage: 's', key: 'k', dir: first });
    expect(await publishArtifact(store, { stage: 's', key: 'k', dir: second })).toEqual(winner);
    expect(await contentOf(await materializeArtifact(store, winner, cache))).toMatchObject({ 'a.txt': 'A', 'b.txt': 'B' });
  });

  it('gives all of many publishers at once the one winner, with its own content', async () => {
    const dirs = await Promise.all([0, 1, 2, 3].map((i) => folder(`p${i}`, { 'a.txt': `A${i}`, 'same.txt': 'same', [`own${i}.txt`]: `${i}` })));
    const results = await Promise.all(dirs.map((dir) => publishArtifact(store, { stage: 's', key: 'race', dir })));
    for (const result of results) expect(result).toEqual(results[0]);
    const { 'artifact.json': _marker, ...content } = await contentOf(await materializeArtifact(store, results[0]!, cache));
    const i = content['a.txt']!.slice(1);
    expect(content).toEqual({ 'a.txt': `A${i}`, 'same.txt': 'same', [`own${i}.txt`]: i });
  });

  it('finishes what a killed publisher of other content left, without its files', async () => {
    const dir = await folder('out', { 'a.txt': 'A', 'b.txt': 'B' });
    await store.put('s/k/a.txt', Buffer.from('half of another attempt'));
    await store.put('s/k/left-over.txt', Buffer.from('x'));
    expect(await findArtifact(store, 's', 'k')).toBeUndefined();
    const published = await publishArtifact(store, { stage: 's', key: 'k', dir });
    expect(await contentOf(await materializeArtifact(store, published, cache))).toEqual({ 'a.txt': 'A', 'b.txt': 'B' });
  });

  it('carries on after a failure at any write', async () => {
    const dir = await folder('out', { 'a.txt': 'A', 'b.txt': 'B' });
    for (let failing = 0; failing < 3; failing++) {
      const key = `k${failing}`;
      const original = store.putIfAbsent.bind(store);
      let calls = 0;
      const spy = vi.spyOn(store, 'putIfAbsent').mockImplementation(async (...args) => {
        if (calls++ === failing) throw new Error('killed');
        return original(...args);
      });
      await expect(publishArtifact(store, { stage: 's', key, dir })).rejects.toThrow('killed');
      spy.mockRestore();
      expect(await findArtifact(store, 's', key)).toBeUndefined();
      const published = await publishArtifact(store, { stage: 's', key, dir });
      expect(await contentOf(await materializeArtifact(store, published, cache))).toMatchObject({ 'a.txt': 'A', 'b.txt': 'B' });
    }
  });

  it('names the file that was damaged or lost', async () => {
    const dir = await folder('out', { 'a.txt': 'A', 'b.txt': 'B' });
    const published = await publishArtifact(store, { stage: 's', key: 'k', dir });
    await rm(join(objects, 's/k/b.txt'));
    await expect(materializeArtifact(store, published, cache)).rejects.toMatchObject({ code: 'ArtifactCorrupt', file: 's/k/b.txt' });
    const again = await publishArtifact(store, { stage: 's', key: 'k2', dir: await folder('out2', { 'a.txt': 'A', 'b.txt': 'B' }) });
    await writeFile(join(objects, 's/k2/a.txt'), 'Z');
    await expect(materializeArtifact(store, again, `${cache}2`)).rejects.toMatchObject({ code: 'ArtifactCorrupt', file: 's/k2/a.txt' });
  });

  it('refuses a marker that is broken, of another artifact, or names files outside', async () => {
    const dir = await folder('out', { 'a.txt': 'A' });
    const published = await publishArtifact(store, { stage: 's', key: 'k', dir });
    await store.put('s/broken/artifact.json', Buffer.from('{"files": ['));
    await store.put('s/moved/artifact.json', Buffer.from(JSON.stringify(published)));
    const outside = { ...published, key: 'evil', files: [{ ...published.files[0]!, path: '../../x' }] };
    await store.put('s/evil/artifact.json', Buffer.from(JSON.stringify(outside)));
    await expect(findArtifact(store, 's', 'broken')).rejects.toMatchObject({ code: 'ArtifactCorrupt', file: 's/broken/artifact.json' });
    await expect(findArtifact(store, 's', 'moved')).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
    await expect(findArtifact(store, 's', 'evil')).rejects.toMatchObject({ code: 'InvalidName' });
  });

  it('refuses links in the folder, and keys that are paths', async () => {
    const dir = await folder('out', { 'a.txt': 'A' });
    await symlink('/etc/passwd', join(dir, 'passwd'));
    await expect(publishArtifact(store, { stage: 's', key: 'k', dir })).rejects.toMatchObject({ code: 'NotARegularFile', message: expect.stringContaining('passwd') });
    await expect(publishArtifact(store, { stage: 's', key: 'a/b', dir })).rejects.toMatchObject({ code: 'InvalidName' });
    await expect(publishArtifact(store, { stage: '..', key: 'k', dir })).rejects.toMatchObject({ code: 'InvalidName' });
  });

  it('removes an artifact and leaves its neighbours', async () => {
    const dir = await folder('out', { 'a.txt': 'A' });
    for (const key of ['k', 'k2']) await publishArtifact(store, { stage: 's', key, dir });
    await removeArtifact(store, { stage: 's', key: 'k' });
    expect(await findArtifact(store, 's', 'k')).toBeUndefined();
    expect((await store.list('s')).map(({ name }) => name)).toEqual(['s/k2/a.txt', 's/k2/artifact.json']);
  });

  it('keeps unfinished work beside the artifacts', async () => {
    const work = createWorkArea(store, { stage: 'train', key: 'k' });
    const written = await work.put('step-1/weights.bin', Buffer.from('W'));
    await createWorkArea(store, { stage: 'train', key: 'k2' }).put('x', Buffer.from('X'));
    expect((await work.get('step-1/weights.bin', written)).toString()).toBe('W');
    expect(await work.putIfAbsent('step-1/weights.bin', Buffer.from('late'))).toMatchObject({ created: false });
    expect(await text(await work.open('step-1/weights.bin', written))).toBe('W');
    expect(await work.list()).toMatchObject([{ name: 'step-1/weights.bin', bytes: 1 }]);
    await work.remove();
    expect((await store.list('work')).map(({ name }) => name)).toEqual(['work/train/k2/x']);
  });

  if (kind === 'filesystem') {
    it('shares the files with the folder published, and gives its own folder back', async () => {
      const dir = await folder('out', { 'a.txt': 'A' });
      const published = await publishArtifact(store, { stage: 's', key: 'k', dir });
      expect((await stat(join(dir, 'a.txt'))).ino).toBe((await stat(join(objects, 's/k/a.txt'))).ino);
      expect(await materializeArtifact(store, published, cache)).toBe(join(objects, 's/k'));
      await expect(link(join(dir, 'a.txt'), join(objects, 's/k/a.txt'))).rejects.toMatchObject({ code: 'EEXIST' });
    });
  } else {
    it('downloads once, and again what was damaged in the cache', async () => {
      const dir = await folder('out', { 'a.txt': 'A', 'b.txt': 'B' });
      const published = await publishArtifact(store, { stage: 's', key: 'k', dir });
      const local = await materializeArtifact(store, published, cache);
      await writeFile(join(local, 'a.txt'), 'damaged');
      const open = vi.spyOn(store, 'open');
      expect(await materializeArtifact(store, published, cache)).toBe(local);
      expect(open.mock.calls.map(([name]) => name)).toEqual(['s/k/a.txt']);
      expect(await contentOf(local)).toEqual({ 'a.txt': 'A', 'b.txt': 'B' });
    });
  }
});
