import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createArtifactStore, sha256, type ArtifactStore } from './index.js';
import { startS3Server, type S3Server } from './testing/s3.server.js';

let server: S3Server;
let scratch: string;
const moved: [string, number][] = [];

beforeAll(async () => {
  server = await startS3Server();
  await server.createBucket('contract');
});
afterAll(() => server?.stop());

const stores = {
  filesystem: () => createArtifactStore(`file://${scratch}/root`, { onBytes: (op, bytes) => moved.push([op, bytes]) }),
  s3: () => createArtifactStore(`s3://contract/${scratch.slice(-6)}/root`, { s3: server.options, onBytes: (op, bytes) => moved.push([op, bytes]) }),
};

describe.each(Object.entries(stores))('ArtifactStore: %s', (_kind, create) => {
  let store: ArtifactStore;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'caricature-store-'));
    store = create();
    moved.length = 0;
  });
  afterEach(async () => {
    store.close();
    await rm(scratch, { recursive: true, force: true });
  });

  it('gives back the bytes of a buffer, a stream and a file, and their digest', async () => {
    const content = Buffer.from('some bytes');
    await writeFile(join(scratch, 'local'), content);
    const inputs = { buffer: content, stream: Readable.from([Buffer.from('some '), Buffer.from('bytes')]), file: { file: join(scratch, 'local') } };
    for (const [name, input] of Object.entries(inputs)) {
      expect(await store.put(`kinds/${name}`, input)).toEqual({ sha256: sha256(content), bytes: 10 });
      expect((await store.get(`kinds/${name}`)).equals(content)).toBe(true);
      expect(await store.head(`kinds/${name}`)).toMatchObject({ name: `kinds/${name}`, bytes: 10 });
    }
  });

  it('writes and streams an object larger than a multipart part, and an empty one', async () => {
    const large = Buffer.alloc(20 * 1024 * 1024 + 7, 'caricature');
    const written = await store.put('large', Readable.from([large.subarray(0, 9_999_999), large.subarray(9_999_999)]));
    expect(written).toEqual({ sha256: sha256(large), bytes: large.length });
    const chunks: Buffer[] = [];
    for await (const chunk of await store.open('large', written)) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).equals(large)).toBe(true);
    await store.put('empty', Buffer.alloc(0));
    expect(await store.get('empty')).toHaveLength(0);
    expect(moved).toEqual([['write', large.length], ['read', large.length], ['write', 0], ['read', 0]]);
  });

  it('replaces an object by put and keeps it by putIfAbsent', async () => {
    await store.put('a', Buffer.from('one'));
    await store.put('a', Buffer.from('two'));
    expect(await store.putIfAbsent('a', Buffer.from('three'))).toMatchObject({ created: false });
    expect((await store.get('a')).toString()).toBe('two');
    await writeFile(join(scratch, 'local'), 'four');
    expect(await store.putIfAbsent('a', { file: join(scratch, 'local'), link: true })).toMatchObject({ created: false });
    expect((await store.get('a')).toString()).toBe('two');
  });

  it('lets exactly one of many putIfAbsent win, whole', async () => {
    const results = await Promise.all(Array.from({ length: 12 }, (_, i) => store.putIfAbsent('race', Buffer.alloc(100_000, String(i % 10)))));
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect(sha256(await store.get('race'))).toBe(results.find(({ created }) => created)!.sha256);
  });

  it('leaves the old object when the new one’s source fails half-way', async () => {
    await store.put('a', Buffer.from('old'));
    const failing = Readable.from(async function* () {
      yield Buffer.alloc(100_000);
      throw new Error('source broke');
    }());
    await expect(store.put('a', failing)).rejects.toThrow('source broke');
    expect((await store.get('a')).toString()).toBe('old');
    expect((await store.list('')).map(({ name }) => name)).toEqual(['a']);
  });

  it('refuses to give bytes that are not those expected', async () => {
    await store.put('a', Buffer.from('bytes'));
    const expected = { sha256: sha256('others') };
    await expect(store.get('a', expected)).rejects.toMatchObject({ code: 'ArtifactCorrupt', file: 'a', retryable: false });
    const read = async () => {
      const stream = await store.open('a', expected);
      stream.resume();
      await once(stream, 'end');
    };
    await expect(read()).rejects.toMatchObject({ code: 'ArtifactCorrupt' });
  });

  it('lists by whole parts of names, sorted, and removes so', async () => {
    for (const name of ['b/2', 'b/1', 'b/c/3', 'bb', 'a']) await store.put(name, Buffer.from(name));
    const names = async (prefix: string) => (await store.list(prefix)).map(({ name }) => name);
    expect(await names('')).toEqual(['a', 'b/1', 'b/2', 'b/c/3', 'bb']);
    expect(await names('b')).toEqual(['b/1', 'b/2', 'b/c/3']);
    expect(await names('b/')).toEqual(['b/1', 'b/2', 'b/c/3']);
    expect(await names('a')).toEqual(['a']);
    expect(await names('nothing')).toEqual([]);
    await store.remove('b');
    await store.remove('b');
    expect(await names('')).toEqual(['a', 'bb']);
  });

  it('says that an object is not there', async () => {
    expect(await store.head('none')).toBeUndefined();
    await expect(store.get('none')).rejects.toMatchObject({ code: 'NotFound', retryable: false });
    await expect(store.open('none')).rejects.toMatchObject({ code: 'NotFound' });
  });

  it.each(['', '..', '../x', 'a/../../x', 'a/..', './a', '/etc/passwd', 'a//b', 'a/', 'a\\..\\x', 'a\0b', 'C:/x', '.tmp/x', 'x'.repeat(901)])(
    'refuses the name %j in every call',
    async (name) => {
      const refused = { code: 'InvalidName', retryable: false };
      await expect(store.put(name, Buffer.from('x'))).rejects.toMatchObject(refused);
      await expect(store.putIfAbsent(name, Buffer.from('x'))).rejects.toMatchObject(refused);
      await expect(store.get(name)).rejects.toMatchObject(refused);
      await expect(store.open(name)).rejects.toMatchObject(refused);
      await expect(store.head(name)).rejects.toMatchObject(refused);
      if (name === '' || name === 'a/') return; // as prefixes these two are good
      await expect(store.list(name)).rejects.toMatchObject(refused);
      await expect(store.remove(name)).rejects.toMatchObject(refused);
    },
  );
});
