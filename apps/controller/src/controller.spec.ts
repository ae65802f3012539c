import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createArtifactStore, publishArtifact } from '@caricature/artifacts';
import { readControllerEnv } from './controller.env.js';
import { createController } from './create-controller.js';
import { aController, aCrawlJob, aTrainingRun, type TestController } from './testing/a-controller.js';

let controller: TestController;
const api = () => request(controller.url);
const store = () => createArtifactStore(`file://${controller.home}/artifacts`);

beforeAll(async () => {
  controller = await aController();
});
afterAll(() => controller.close());

const apply = (document: unknown) => api().post('/api/v1/resources').send(document as object);

/** The token of the process that was started for a crawl. */
async function workerOf(name: string): Promise<{ uid: string; job: string; token: string }> {
  const { uid } = (await api().get(`/api/v1/resources/CrawlJob/default/${name}`)).body.metadata;
  const job = `${name}-crawl-1`;
  const token = await vi.waitFor(() => readFile(join(controller.home, 'jobs', uid, job, 'token'), 'utf8'), { timeout: 20_000 });
  await vi.waitFor(() => readFile(join(controller.home, 'jobs', uid, job, 'assignment.json')), { timeout: 20_000 });
  return { uid, job, token };
}

describe('a resource', () => {
  it('is created, left unchanged, configured, read and listed', async () => {
    expect((await apply(aTrainingRun('faces'))).body).toMatchObject({ result: 'created', resource: { metadata: { name: 'faces', namespace: 'default', generation: 1 } } });
    expect((await apply(aTrainingRun('faces'))).body.result).toBe('unchanged');
    expect((await apply(aTrainingRun('faces', { suspend: true }))).body).toMatchObject({ result: 'configured', resource: { metadata: { generation: 2 } } });
    expect((await api().get('/api/v1/resources/trun/default/faces')).body.spec.suspend).toBe(true);
    expect((await api().get('/api/v1/resources?kind=TrainingRun')).body.items.map((r: { metadata: { name: string } }) => r.metadata.name)).toContain('faces');
    const history = (await api().get('/api/v1/resources/TrainingRun/default/faces/history')).body.items;
    expect(history.map((h: { change: string }) => h.change)).toContain('SpecChanged');
  });

  it('with a wrong field is refused and the field named', async () => {
    const { status, body, type } = await apply(aTrainingRun('bad', { seed: -1, speed: 3 }));
    expect([status, type, body.code]).toEqual([400, 'application/problem+json', 'InvalidResource']);
    expect(body.fields).toContainEqual({ field: 'spec.speed', message: 'unknown field' });
    expect(body.fields.map((f: { field: string }) => f.field)).toContain('spec.seed');
  });

  it('may not change what its artifacts are made of', async () => {
    await apply(aTrainingRun('fixed'));
    const { status, body } = await apply(aTrainingRun('fixed', { seed: 7 }));
    expect([status, body.code, body.detail]).toEqual([400, 'InvalidResource', 'TrainingRun fixed is invalid: spec.seed: is immutable']);
  });

  it('is gone once it was deleted and its jobs have ended', async () => {
    await apply(aCrawlJob('short-lived'));
    await workerOf('short-lived');
    expect((await api().delete('/api/v1/resources/CrawlJob/default/short-lived')).body.result).toBe('deleting');
    await vi.waitFor(async () => expect((await api().get('/api/v1/resources/CrawlJob/default/short-lived')).status).toBe(404), { timeout: 20_000 });
  });

  it('that is not there is a problem with a code', async () => {
    expect((await api().get('/api/v1/resources/CrawlJob/default/nobody')).body).toMatchObject({ status: 404, code: 'NotFound' });
    expect((await api().get('/api/v1/resources/Pod/default/nobody')).body).toMatchObject({ status: 400, code: 'InvalidRequest' });
    expect((await api().get('/api/v1/nothing')).body).toMatchObject({ status: 404, code: 'NotFound' });
  });

  it.each([
    ['/default%2F..%2F..%2F..%2F..%2Fapi%2Fv1%2Fnamespaces%2Fkube-system%2Fpods%3Fx=/nobody', 'namespace'],
    ['/..%2Fkube-system/nobody', 'namespace'],
    ['/default/..%2F..%2Fkube-system', 'name'],
    ['/default/%2E%2E%2Fpods/logs', 'name'],
  ])('is not asked for by a name that no resource can have: %s', async (path, field) => {
    const { body } = await api().get(`/api/v1/resources/CrawlJob${path}`);
    expect(body).toMatchObject({ status: 400, code: 'InvalidRequest', fields: [{ field }] });
    expect((await api().delete(`/api/v1/resources/CrawlJob${path.replace('/logs', '')}`)).status).toBe(400);
  });

  it('is listed only by a namespace that there can be', async () => {
    expect((await api().get('/api/v1/resources?namespace=default')).status).toBe(200);
    expect((await api().get('/api/v1/resources?namespace=..%2F..%2Fpods')).body).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });

  it('in broken JSON is a problem too', async () => {
    const { status, body } = await api().post('/api/v1/resources').set('content-type', 'application/json').send('{"kind":');
    expect([status, body.code]).toEqual([400, 'InvalidRequest']);
  });
});

describe('a report', () => {
  const bundle = (job: string, sequence: number) => ({
    job,
    stage: 'crawl',
    sequence,
    items: [
      { type: 'progress', step: 4, totalSteps: 10, etaSeconds: 6 },
      { type: 'counters', values: { images: 4, duplicates: 1, failed: 2, bytes: 4096 } },
      { type: 'metrics', step: 4, at: new Date().toISOString(), values: { requestSeconds: 0.25 } },
    ],
  });
  const send = (token: string, body: object) => api().post('/api/v1/reports').set('authorization', `Bearer ${token}`).send(body);

  it('counts once, is seen in the status and by Prometheus', async () => {
    await apply(aCrawlJob('counted'));
    const { job, token, uid } = await workerOf('counted');
    expect((await send(token, bundle(job, 1))).body).toEqual({ applied: true });
    expect((await send(token, bundle(job, 1))).body).toEqual({ applied: false });
    const { series } = (await api().get(`/api/v1/runs/${uid}/metrics`)).body;
    expect(series).toMatchObject([{ stage: 'crawl', name: 'requestSeconds', points: [{ step: 4, last: 0.25 }] }]);
    await vi.waitFor(async () => {
      const { status } = (await api().get('/api/v1/resources/CrawlJob/default/counted')).body;
      expect(status.stages[0].progress).toEqual({ step: 4, totalSteps: 10, etaSeconds: 6 });
      expect(status.progress).toEqual({ images: 4, duplicates: 1, failed: 2, bytes: 4096 });
    });
    const text = (await api().get('/metrics')).text;
    expect(text).toContain('caricature_crawl_images_total{job="default/counted",crawl="default/counted",outcome="saved"} 4');
    expect(text).toContain('caricature_crawl_bytes_total{job="default/counted",crawl="default/counted"} 4096');
    expect(text).toMatch(/caricature_reconcile_total\{kind="CrawlJob",result="ok"\} \d+/);
    expect(text).toContain('caricature_leader 1');
  });

  it('of an attempt that was followed by another is refused, even before that one has spoken', async () => {
    await apply(aCrawlJob('followed'));
    const { uid, job, token } = await workerOf('followed');
    expect((await send(token, bundle(job, 1))).status).toBe(200);
    await controller.database.stages.record({ runUid: uid, stage: 'crawl', attempt: 2, state: 'Running', key: 'k' });
    expect((await send(token, bundle(job, 2))).body).toMatchObject({ status: 410, code: 'Superseded', detail: expect.stringContaining('followed by attempt 2') });
  });

  it('without the token of its own stage is refused', async () => {
    await apply(aCrawlJob('guarded'));
    const { job, token } = await workerOf('guarded');
    expect((await send('wrong', bundle(job, 1))).status).toBe(401);
    expect((await send(token, { ...bundle(job, 1), stage: 'train' })).status).toBe(401);
    expect((await send(token, bundle('counted-crawl-1', 9))).status).toBe(401);
    expect((await send(token, { ...bundle(job, 1), items: [] })).body).toMatchObject({ status: 400, code: 'InvalidRequest' });
  });

  it('of an artifact makes it known, with its files', async () => {
    await apply(aCrawlJob('finished'));
    const { uid, job, token } = await workerOf('finished');
    const { key } = JSON.parse(await readFile(join(controller.home, 'jobs', uid, job, 'assignment.json'), 'utf8')) as { key: string };
    const dir = join(controller.home, 'report');
    await mkdir(dir, { recursive: true });
    await writeFile(join(dir, 'report.html'), '<script>alert(1)</script>');
    const artifact = await publishArtifact(store(), { stage: 'crawl', key, dir });
    const item = { type: 'artifact', digest: artifact.digest, uri: `${store().uri}/crawl/${key}`, bytes: 25, from: ['unknown'], metadata: { count: 1 } };
    expect((await send(token, { job, stage: 'crawl', sequence: 1, items: [item] })).status).toBe(200);

    expect((await api().get(`/api/v1/artifacts/${artifact.digest}`)).body).toMatchObject({ stage: 'crawl', files: [{ path: 'report.html' }] });
    const file = await api().get(`/api/v1/artifacts/${artifact.digest}/files/report.html`);
    expect([file.status, file.text]).toEqual([200, '<script>alert(1)</script>']);
    expect(file.headers['content-security-policy']).toMatch(/^sandbox;/);
    for (const path of ['..%2f..%2fworker.mjs', '%2e%2e/%2e%2e/worker.mjs', 'artifact.json', '%2fetc%2fpasswd']) {
      const escaped = await fetch(`${controller.url}/api/v1/artifacts/${artifact.digest}/files/${path}`);
      expect([400, 404], path).toContain(escaped.status);
    }
    expect((await api().get(`/api/v1/artifacts/${artifact.digest}/lineage`)).body.artifacts).toHaveLength(1);
  });
});

describe("a run's samples", () => {
  it('are served from the store and from nowhere else', async () => {
    const runUid = randomUUID();
    await store().put('work/train/k/samples/100.png', Buffer.from('PNG'));
    await writeFile(join(controller.home, 'secret.png'), 'secret');
    const uris = { 100: `${store().uri}/work/train/k/samples/100.png`, 200: `file://${controller.home}/secret.png`, 300: `${store().uri}/../secret.png` };
    for (const [step, uri] of Object.entries(uris)) await controller.database.samples.record({ runUid, step: Number(step), uri, digest: 'd' });
    const { items } = (await api().get(`/api/v1/runs/${runUid}/samples`)).body;
    expect(items[0].image).toBe(`/api/v1/runs/${runUid}/samples/100.png`);
    const image = await api().get(items[0].image);
    expect([image.status, image.type, String(image.body)]).toEqual([200, 'image/png', 'PNG']);
    expect((await api().get(items[1].image)).status).toBe(404);
    expect((await api().get(items[2].image)).status).toBe(400);
  });
});

describe('a log', () => {
  it('is there after its pods are gone: what each of them put away, and what the last one said', async () => {
    await apply(aCrawlJob('logged', { sampling: { count: 12 } }));
    const { uid, job } = await workerOf('logged');
    await store().put(`logs/${uid}/${job}/pod-a.txt`, Buffer.from('12:00 begun\n12:01 Interrupted\n'));
    await store().put(`logs/${uid}/${job}/pod-b.txt`, Buffer.from('12:02 begun\n12:03 Interrupted\n'));
    await vi.waitFor(async () => expect((await api().get('/api/v1/resources/CrawlJob/default/logged/logs')).text).toBe('--- pod-a\n12:00 begun\n12:01 Interrupted\n--- pod-b\n12:02 begun\n12:03 Interrupted\n'), { timeout: 20_000 });
  });
});

describe('a model', () => {
  it('is found by an alias, which can be moved', async () => {
    const key = 'k'.repeat(10);
    const digest = 'd'.repeat(64);
    const { database } = controller;
    const uri = `${store().uri}/publish/${key}`;
    await database.artifacts.record({ digest, stage: 'publish', key, uri, bytes: 1 });
    for (const runUid of [randomUUID(), randomUUID()]) await database.models.publish({ model: 'faces', runUid, artifactDigest: digest, uri, scores: {}, stage: 'publish', alias: 'staging' });
    expect((await api().get('/api/v1/models/faces/aliases/staging')).body).toMatchObject({ model: 'faces', version: 2, artifactUri: uri, digest });
    expect((await api().put('/api/v1/models/faces/aliases/production').send({ version: 1 })).body.version).toBe(1);
    expect((await api().put('/api/v1/models/faces/aliases/production').send({ version: 9 })).status).toBe(404);
    expect((await api().get('/api/v1/models/faces')).body).toMatchObject({ aliases: { staging: 2, production: 1 }, latestVersion: 2 });
  });
});

describe('the controller', () => {
  it('says that it is alive, ready and what it can do', async () => {
    expect((await api().get('/healthz')).status).toBe(200);
    expect((await api().get('/readyz')).status).toBe(200);
    const { paths, components } = (await api().get('/api/openapi.json')).body;
    expect(paths['/api/v1/resources'].post.requestBody.content['application/json'].schema.$ref).toBe('#/components/schemas/Resource');
    expect(components.schemas.TrainingRun.properties.spec.properties.seed.default).toBe(1);
  });

  it('serves its pages under a policy that lets no other script run', async () => {
    const page = await api().get('/');
    expect([page.status, page.type]).toEqual([200, 'text/html']);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect((await api().get('/vendor/uplot/uPlot.esm.js')).status).toBe(200);
    expect((await api().get('/..%2f..%2fpackage.json')).status).toBe(404);
  });

  it('answers no request that was sent to another name', async () => {
    expect((await api().get('/api/v1/resources').set('host', 'evil.example')).body).toMatchObject({ status: 403, code: 'ForbiddenHost' });
  });

  it('streams reports as they come in', async () => {
    // Another count than the others': an equal crawl that is finished would be taken and no process started.
    await apply(aCrawlJob('watched', { sampling: { count: 11 } }));
    const { uid, job, token } = await workerOf('watched');
    const abort = new AbortController();
    const response = await fetch(`${controller.url}/api/v1/runs/${uid}/stream`, { signal: abort.signal });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const body = { job, stage: 'crawl', sequence: 1, items: [{ type: 'progress', step: 1, totalSteps: 10 }] };
    await api().post('/api/v1/reports').set('authorization', `Bearer ${token}`).send(body);
    let text = '';
    for await (const chunk of response.body!) {
      text += Buffer.from(chunk).toString();
      if (text.includes('"step":1')) break;
    }
    expect(text).toContain('event: progress');
    abort.abort();
  });
});

describe('a controller that is started', () => {
  it('on a taken port fails with EADDRINUSE and leaves nothing behind', async () => {
    const env = readControllerEnv({ PORT: new URL(controller.url).port, CARICATURE_HOME: join(controller.home, 'second') });
    await expect(createController(env)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(createController(env)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('asks for a token where one is set, and for a token where strangers can reach it', async () => {
    expect(() => readControllerEnv({ HOST: '0.0.0.0' })).toThrow('CARICATURE_API_TOKEN: must be set');
    const guarded = await aController({ CARICATURE_API_TOKEN: 'a-long-secret' });
    const ask = (token: string) => request(guarded.url).get('/api/v1/resources').set('authorization', `Bearer ${token}`);
    expect([(await ask('another')).status, (await ask('a-long-secret')).status]).toEqual([401, 200]);
    await guarded.close();
  });
});
