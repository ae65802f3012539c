import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { folderFingerprint } from './folder-fingerprint.js';

let folder: string;
let photos: string;
const fingerprint = () => folderFingerprint(pathToFileURL(photos).href);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caricature-fingerprint-'));
  photos = join(folder, 'photos');
  await mkdir(join(photos, 'ann'), { recursive: true });
  await writeFile(join(photos, 'ann/1.jpg'), 'one');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('changes with a photo, and with nothing else', async () => {
  const before = await fingerprint();
  expect(before).toMatch(/^[0-9a-f]{64}$/);
  expect(await fingerprint()).toBe(before);
  await utimes(join(photos, 'ann/1.jpg'), 1, 1);
  expect(await fingerprint()).not.toBe(before);
});

it('changes with a photo that is a symbolic link, and with what it leads to', async () => {
  const seen = [await fingerprint()];
  await writeFile(join(folder, 'elsewhere.jpg'), 'two');
  await symlink(join(folder, 'elsewhere.jpg'), join(photos, 'ann/2.jpg'));
  seen.push(await fingerprint());
  await writeFile(join(folder, 'elsewhere.jpg'), 'another one');
  seen.push(await fingerprint());
  // A link that leads nowhere is seen too: mended, it is another.
  await rm(join(folder, 'elsewhere.jpg'));
  seen.push(await fingerprint());
  expect(new Set(seen).size).toBe(4);
});

it.each(['file://photos/faces', 'file:///photos%2Ffaces', 'file:///100%', 'file:///%FF', 's3://photos', 'file:///nowhere'])('is not given of %s', async (uri) => {
  expect(await folderFingerprint(uri)).toBeUndefined();
});
