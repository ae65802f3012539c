import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createArtifactStore } from '@caricature/artifacts';
import { freePort, startS3Server, type S3Server } from '../../../libs/artifacts/src/testing/s3.server.js';
import { EXIT } from './stage.error.js';
import { StageBench } from './testing/stage-bench.js';

const PEOPLE = ['ann', 'bob', 'cem'];
const PHOTOS_OF_EACH = 4;
const STAGES = [['prepare-faces', 'spec.source.photos.uri'], ['prepare-avatars', 'spec.target.images.uri']] as const;

let server: S3Server;
let bench: StageBench;

beforeAll(async () => {
  server = await startS3Server();
  await server.createBucket('photos');
  const store = createArtifactStore('s3://photos/team', { s3: server.options });
  for (const [index, person] of PEOPLE.entries()) {
    for (let i = 0; i < PHOTOS_OF_EACH; i++) {
      const photo = await sharp({ create: { width: 40, height: 40, channels: 3, background: { r: index * 80, g: i * 60, b: 90 } } }).png().toBuffer();
      await store.put(`${person}/${i}.png`, photo);
    }
  }
  store.close();
});
afterAll(() => server?.stop());
beforeEach(async () => {
  // A worker has the endpoint and the access of the artifact store from its environment.
  vi.stubEnv('CARICATURE_S3_ENDPOINT', server.options.endpoint!);
  vi.stubEnv('AWS_ACCESS_KEY_ID', server.options.credentials!.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', server.options.credentials!.secretAccessKey);
  bench = await StageBench.create();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await bench.clear();
});

const prepare = (stage: (typeof STAGES)[number][0], uri: string) =>
  bench.run({ model: { preset: 'faces-32-test' }, source: { photos: { uri, alreadyCropped: true } }, target: { images: { uri } } }, stage);

describe.each(STAGES)('%s of pictures in S3', (stage, field) => {
  it('packs all of them, with their labels', async () => {
    expect(await prepare(stage, 's3://photos/team')).toMatchObject({ exitCode: EXIT.succeeded, message: '' });
    const manifests = await Promise.all(['train', 'heldout'].map(async (part) => JSON.parse(await readFile(join(bench.folder, 'store', stage, '0'.repeat(64), part, 'manifest.json'), 'utf8'))));
    expect(manifests.map(({ count }) => count).reduce((a, b) => a + b)).toBe(PEOPLE.length * PHOTOS_OF_EACH);
    expect(manifests[0].labelNames).toEqual(PEOPLE);
  });

  it.each([
    ['a prefix with nothing below it', 's3://photos/nobody', 'There are no objects below s3://photos/nobody/'],
    ['a bucket that is not there', 's3://nowhere/team', 'The bucket of s3://nowhere/team does not exist'],
    ['an address that is none', 's3://photos/100%', 'is no artifact root'],
    ['another kind of address', 'gs://photos/team', 'gs://photos/team cannot be read: give a folder'],
  ])('names its field for %s, and is not tried again', async (_title, uri, message) => {
    expect(await prepare(stage, uri)).toMatchObject({ exitCode: EXIT.impossible, code: 'InvalidConfiguration', message: expect.stringContaining(`${field}: `) });
    expect((await prepare(stage, uri)).message).toContain(message);
  });

  it('is told of by its address, not by where it was fetched to, when there is nothing in it to learn from', async () => {
    const { exitCode, message } = await prepare(stage, 's3://photos/team/ann');
    expect({ exitCode, message }).toEqual({ exitCode: EXIT.impossible, message: expect.stringMatching(/^No photos of people were found in s3:\/\/photos\/team\/ann with the layout PersonFolders/) });
  });

  it('names its field where access is denied, and is not tried again', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong');
    expect(await prepare(stage, 's3://photos/team')).toMatchObject({ exitCode: EXIT.impossible, message: expect.stringContaining(`${field}: s3://photos/team refuses`) });
  });

  it('is tried again where the store cannot be reached', async () => {
    vi.stubEnv('CARICATURE_S3_ENDPOINT', `http://127.0.0.1:${await freePort()}`);
    expect(await prepare(stage, 's3://photos/team')).toMatchObject({ exitCode: EXIT.failed, code: 'StoreUnreachable' });
  });
});
