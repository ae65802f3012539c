import { appendFile, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FilesystemArtifactStore } from './filesystem-artifact.store.js';

describe('FilesystemArtifactStore', () => {
  let scratch: string;
  let store: FilesystemArtifactStore;

  beforeEach(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'caricature-fs-'));
    store = new FilesystemArtifactStore(join(scratch, 'root'));
  });
  afterEach(() => rm(scratch, { recursive: true, force: true }));

  it('says what to free when the disk is full, keeps what was there and leaves nothing behind', async () => {
    await store.put('a', Buffer.from('old'));
    const full = await appendFile('/dev/full', 'x').catch((error: unknown) => error as Error);
    const failing = new Readable({ read() { this.destroy(full as Error); } });
    await expect(store.put('a', failing)).rejects.toMatchObject({
      code: 'StorageFull',
      retryable: true,
      message: expect.stringMatching(/No space left at .*root\. Free space there .*work\//),
    });
    expect((await store.get('a')).toString()).toBe('old');
    expect(await readdir(join(scratch, 'root', '.tmp'))).toEqual([]);
  });

  it('refuses to follow links that lead out of the root', async () => {
    await mkdir(join(scratch, 'outside'));
    await writeFile(join(scratch, 'outside', 'secret'), 'secret');
    await store.put('a', Buffer.from('x'));
    await symlink(join(scratch, 'outside'), join(scratch, 'root', 'door'));
    const attempts = [() => store.get('door/secret'), () => store.put('door/new', Buffer.from('x')), () => store.remove('door/secret')];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({ code: 'InvalidName' });
    }
    expect(await readdir(join(scratch, 'outside'))).toEqual(['secret']);
    expect((await store.list('')).map(({ name }) => name)).toEqual(['a']);
  });

  it('shares a file instead of copying it when asked', async () => {
    await writeFile(join(scratch, 'local'), 'content');
    await store.put('linked', { file: join(scratch, 'local'), link: true });
    await store.put('copied', { file: join(scratch, 'local') });
    const inode = (await stat(join(scratch, 'local'))).ino;
    expect((await stat(join(scratch, 'root', 'linked'))).ino).toBe(inode);
    expect((await stat(join(scratch, 'root', 'copied'))).ino).not.toBe(inode);
    await store.put('linked', { file: join(scratch, 'local'), link: true });
    expect(await readdir(join(scratch, 'root', '.tmp'))).toEqual([]);
  });

  it('clears what killed processes left, and not what others are writing', async () => {
    const temporary = join(scratch, 'root', '.tmp');
    await mkdir(temporary, { recursive: true });
    await writeFile(join(temporary, 'old'), 'x');
    await writeFile(join(temporary, 'young'), 'x');
    await utimes(join(temporary, 'old'), 1, 1);
    await store.put('a', Buffer.from('x'));
    expect(await readdir(temporary)).toEqual(['young']);
  });

  it('makes its folder again when somebody removed it', async () => {
    await store.put('a', Buffer.from('x'));
    await rm(join(scratch, 'root'), { recursive: true });
    await store.put('b', Buffer.from('x')).catch(() => store.put('b', Buffer.from('x')));
    expect((await store.list('')).map(({ name }) => name)).toEqual(['b']);
  });
});
