import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createArtifactStore, findArtifact, publishArtifact } from '@caricature/artifacts';
import type { StageAssignment } from '@caricature/contracts';
import { aController, aCrawlJob, type TestController } from '../testing/a-controller.js';

const SOON = { timeout: 20_000 };

describe('deleting a resource', () => {
  let controller: TestController;
  let seed = 0;
  beforeAll(async () => void (controller = await aController()));
  afterAll(() => controller.close());

  const api = () => request(controller.url);
  const store = () => createArtifactStore(`file://${controller.home}/artifacts`);
  const apply = async (name: string, spec: object) => {
    const { status, body } = await api().post('/api/v1/resources').send(aCrawlJob(name, { sampling: { count: 10, seed }, ...spec }));
    expect(status, JSON.stringify(body)).toBe(200);
    return body.resource.metadata.uid as string;
  };
  const find = (name: string) => api().get(`/api/v1/resources/CrawlJob/default/${name}`);
  const isDone = (name: string) => vi.waitFor(async () => expect((await find(name)).body.status?.phase).toBe('Succeeded'), SOON);
  const remove = async (name: string, uid: string) => {
    await api().delete(`/api/v1/resources/CrawlJob/default/${name}`);
    await vi.waitFor(async () => expect((await find(name)).status).toBe(404), SOON);
    return (await controller.database.events.list(uid)).filter(({ reason }) => reason.startsWith('Artifacts')).map(({ reason, message }) => `${reason}: ${message}`);
  };

  /** Does the work of the process that was started for a crawl; gives the key of what it made. */
  async function crawl(name: string, uid: string): Promise<string> {
    const folder = join(controller.home, 'jobs', uid, `${name}-crawl-1`);
    const token = await vi.waitFor(() => readFile(join(folder, 'token'), 'utf8'), SOON);
    const { job, stage, key } = JSON.parse(await vi.waitFor(() => readFile(join(folder, 'assignment.json'), 'utf8'), SOON)) as StageAssignment;
    const dir = join(controller.home, 'made', name);
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'avatars-000000.tar'), `avatars of ${key}`);
    const { digest } = await publishArtifact(store(), { stage, key, dir });
    for (const left of [`work/${stage}/${key}/journal`, `samples/${key}/step-1.png`, `logs/${uid}/${job}/pod.txt`]) await store().put(left, Buffer.from('x'));
    const items = [{ type: 'artifact', digest, uri: `${store().uri}/${stage}/${key}`, bytes: 9, from: [], metadata: {} }];
    expect((await api().post('/api/v1/reports').set('authorization', `Bearer ${token}`).send({ job, stage, sequence: 1, items })).status).toBe(200);
    await isDone(name);
    return key;
  }
  const isThere = async (key: string) => [(await findArtifact(store(), 'crawl', key)) !== undefined, (await controller.database.artifacts.findByKey(key)) !== undefined];
  const objectsOf = async (text: string) => (await store().list('')).filter(({ name }) => name.includes(text)).map(({ name }) => name);

  it('leaves its artifacts unless told otherwise, to whoever takes them later', async () => {
    seed = 1;
    const uid = await apply('left', {});
    const key = await crawl('left', uid);
    expect(await remove('left', uid)).toEqual([]);
    expect(await isThere(key)).toEqual([true, true]);
    const heir = await apply('heir', { deletionPolicy: 'Delete' });
    await isDone('heir');
    expect(await remove('heir', heir)).toEqual(['ArtifactsKept: kept the artifact of crawl: CrawlJob default/left, which made it, was to leave it']);
    expect(await isThere(key)).toEqual([true, true]);
  });

  it('removes them where it is told to, with all that lies around them, once nobody else has them', async () => {
    seed = 2;
    const first = await apply('first', { deletionPolicy: 'Delete' });
    const key = await crawl('first', first);
    const second = await apply('second', {});
    await isDone('second');
    expect(await remove('first', first)).toEqual(['ArtifactsKept: kept the artifact of crawl: CrawlJob default/second refers to it']);
    expect(await isThere(key)).toEqual([true, true]);
    expect(await objectsOf(first)).toEqual([]);
    // What is to become of them may be said at last.
    await apply('second', { deletionPolicy: 'Delete' });
    expect(await remove('second', second)).toEqual(['ArtifactsRemoved: removed the artifacts of crawl']);
    expect(await isThere(key)).toEqual([false, false]);
    expect(await objectsOf(key)).toEqual([]);
    // Nobody believes that it is still there.
    const third = await apply('third', {});
    expect(await crawl('third', third)).toBe(key);
    expect((await find('third')).body.status.stages[0]).toMatchObject({ attempts: 1, cached: false });
  });

  it('leaves what a model is made of', async () => {
    seed = 3;
    const uid = await apply('published', { deletionPolicy: 'Delete' });
    const key = await crawl('published', uid);
    const { uri, digest } = (await controller.database.artifacts.findByKey(key))!;
    await controller.database.models.publish({ model: 'faces', runUid: uid, artifactDigest: digest, uri, scores: {}, stage: 'publish' });
    expect(await remove('published', uid)).toEqual(['ArtifactsKept: kept the artifact of crawl: a version of a model consists of it']);
    expect(await isThere(key)).toEqual([true, true]);
  });

  it('stops its process before, and removes what that has left unfinished', async () => {
    seed = 4;
    const uid = await apply('running', { deletionPolicy: 'Delete' });
    const folder = join(controller.home, 'jobs', uid, 'running-crawl-1');
    const { key } = JSON.parse(await vi.waitFor(() => readFile(join(folder, 'assignment.json'), 'utf8'), SOON)) as StageAssignment;
    await store().put(`work/crawl/${key}/journal`, Buffer.from('x'));
    expect(await remove('running', uid)).toEqual(['ArtifactsRemoved: removed the artifacts of crawl']);
    expect([await objectsOf(key), await objectsOf(uid)]).toEqual([[], []]);
  });
});
