import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readManifests } from './manifests.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'manifests-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (uri: string) => `apiVersion: caricature.dev/v1alpha1
kind: TrainingRun
metadata:
  name: digits
spec:
  source:
    photos:
      uri: synthetic://digits
  target:
    images:
      uri: ${uri}
`;

test('a relative file address is that of a folder beside the resource, whatever the working directory; a whole one is left as it is', async () => {
  const targetOf = async (uri: string) => {
    const file = join(folder, 'run.yaml');
    await writeFile(file, run(uri));
    const [manifest] = await readManifests([file]);
    return (manifest!.spec as { target: { images: { uri: string } } }).target.images.uri;
  };
  expect(await targetOf('file:pictures/a%20b')).toBe(pathToFileURL(join(folder, 'pictures/a b')).href);
  expect(await targetOf('file:../real')).toBe(pathToFileURL(join(folder, '../real')).href);
  expect(await targetOf('file:///data/real')).toBe('file:///data/real');
});

test('a target of two kinds, or of none, is refused with the field', async () => {
  const file = join(folder, 'two.yaml');
  await writeFile(file, `${run('file:///a')}    dataset: avatars\n`);
  await expect(readManifests([file])).rejects.toThrow(/spec\.target.*exactly one of crawlJobRef, images and dataset must be set/s);
});
