import 'reflect-metadata';
import { mkdtemp } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConsoleLogger } from '@nestjs/common';
import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import sharp from 'sharp';
import request from 'supertest';
import type { Response } from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FaceBox } from '@caricature/faces';
import { makeRealPhotos } from '../../../libs/faces/src/testing/real-photos.js';
import type { RealPhotos } from '../../../libs/faces/src/testing/real-photos.js';
import { readInferenceEnv } from './inference.env.js';
import { InferenceModule } from './inference.module.js';
import { startController } from './testing/controller.server.js';
import type { TestController } from './testing/controller.server.js';
import { publishTinyModel, TINY_IMAGE_SIZE } from './testing/tiny-model.js';

const SIZE = TINY_IMAGE_SIZE;
const TOKEN = 'a-secret-for-this-test';
const JSON_BYTES = 'inference-header-content-length';

let photos: RealPhotos;
let controller: TestController;
let app: INestApplication;
let artifacts: string;

async function startApp(values: Record<string, string>): Promise<INestApplication> {
  const env = readInferenceEnv({ CONTROLLER_URL: controller.url, MODEL: 'faces@staging', MODELS_POLL_SECONDS: '0.1', MODELS_CACHE: artifacts, ...values });
  const module = await Test.createTestingModule({ imports: [InferenceModule.of(env)] }).setLogger(new ConsoleLogger({ logLevels: [] })).compile();
  const started = module.createNestApplication({ bodyParser: false });
  await started.listen(0, '127.0.0.1');
  return started;
}

beforeAll(async () => {
  photos = await makeRealPhotos();
  controller = await startController();
  artifacts = await mkdtemp(join(tmpdir(), 'caricature-artifacts-'));
  controller.aliases.set('faces/staging', { version: '1', artifactUri: await publishTinyModel(artifacts, 'first', 1) });
  app = await startApp({});
}, 120_000);

afterAll(async () => {
  await app.close();
  await controller.close();
});

const server = () => app.getHttpServer() as Parameters<typeof request>[0];
const ask = (query = '', type = 'image/png') => request(server()).post(`/v1/caricatures${query}`).set('Content-Type', type);
const metrics = async (): Promise<string> => (await request(server()).get('/metrics').expect(200)).text;

function expectProblem(response: Response, status: number, code: string): void {
  expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
  expect(response.body).toMatchObject({ status, code, title: expect.any(String), detail: expect.stringMatching(/.{20}/) });
  expect(response.status).toBe(status);
}

describe('a photo in', () => {
  it('gives a caricature of the face as PNG', async () => {
    const jpeg = await sharp(await photos.read('astronaut')).jpeg().toBuffer();
    const response = await ask('', 'image/jpeg').send(jpeg).expect(200).expect('Content-Type', 'image/png');
    expect(await sharp(response.body as Buffer).metadata()).toMatchObject({ format: 'png', width: SIZE, height: SIZE, channels: 3 });
    expect(response.headers).toMatchObject({ 'caricature-model': 'faces@staging', 'caricature-model-version': '1' });
  });

  it("gives the face's box and the picture as JSON when that is accepted", async () => {
    const response = await ask().set('Accept', 'application/json').send(await photos.read('astronaut')).expect(200);
    const [face] = photos.facesByPython['astronaut']!;
    expect(response.body).toMatchObject({ box: face, model: 'faces@staging', version: '1' });
    const image = await sharp(Buffer.from((response.body as { image: string }).image, 'base64')).metadata();
    expect(image).toMatchObject({ format: 'png', width: SIZE });
  });

  it('takes the photo out of a form', async () => {
    const response = await request(server()).post('/v1/caricatures').attach('image', await photos.read('astronaut'), 'me.png').expect(200);
    expect(response.headers['content-type']).toBe('image/png');
  });

  it('draws another picture of another face, and the same of the same', async () => {
    const draw = async (bytes: Buffer) => ((await ask('?crop=none').send(bytes).expect(200)).body as Buffer).toString('base64');
    const [first, again, other] = [await draw(await photos.read('astronaut')), await draw(await photos.read('astronaut')), await draw(await photos.read('cat'))];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('takes the largest of several faces unless a single one is asked for', async () => {
    const small = await sharp(await photos.read('astronaut')).resize(300).toBuffer();
    const both = await sharp(await photos.read('twins')).composite([{ input: small, left: 0, top: 0 }]).png().toBuffer();
    const response = await ask().set('Accept', 'application/json').send(both).expect(200);
    expect((response.body as { box: FaceBox }).box.left).toBeGreaterThan(512);
    expectProblem(await ask('?faces=single').send(both), 422, 'SeveralFaces');
  });

  it('says that there is no face, and how to send a picture that is a face already', async () => {
    const response = await ask().send(await photos.read('cat'));
    expectProblem(response, 422, 'NoFace');
    expect((response.body as { detail: string }).detail).toContain('?crop=none');
  });
});

describe('a request that cannot be answered', () => {
  it('is refused by what is wrong with the photo', async () => {
    expectProblem(await ask().send(Buffer.from('no picture')), 400, 'NotAnImage');
    expectProblem(await ask().send(Buffer.alloc(0)), 400, 'NotAnImage');
    expectProblem(await ask().send((await photos.read('astronaut')).subarray(0, 50_000)), 400, 'NotAnImage');
    expectProblem(await ask('', 'text/plain').send('hello'), 415, 'UnsupportedMediaType');
    expectProblem(await ask().send(Buffer.alloc(21 * 1024 * 1024)), 413, 'TooLarge');
  });

  it('is refused by what is wrong with the form', async () => {
    expectProblem(await request(server()).post('/v1/caricatures').field('name', 'x'), 400, 'InvalidRequest');
    expectProblem(await request(server()).post('/v1/caricatures').attach('image', Buffer.from('hello'), 'a.txt'), 415, 'UnsupportedMediaType');
    expectProblem(await request(server()).post('/v1/caricatures').attach('image', Buffer.alloc(21 * 1024 * 1024), 'a.png'), 413, 'TooLarge');
  });

  it('is refused by what is wrong with the query and the headers', async () => {
    const photo = await photos.read('astronaut');
    expectProblem(await ask('?model=nobody@staging').send(photo), 404, 'ModelNotFound');
    expectProblem(await ask('?model=A/B').send(photo), 400, 'InvalidRequest');
    expectProblem(await ask('?face=single').send(photo), 400, 'InvalidRequest');
    expectProblem(await ask().set('Accept', 'text/html').send(photo), 406, 'NotAcceptable');
    expectProblem(await request(server()).get('/v1/nothing'), 404, 'NotFound');
  });

  it('is told to come back when too many are being worked on', async () => {
    const narrow = await startApp({ MAX_QUEUE: '1' });
    const photo = await photos.read('astronaut');
    const answers = await Promise.all(Array.from({ length: 4 }, () => request(narrow.getHttpServer()).post('/v1/caricatures').type('image/png').send(photo)));
    const refused = answers.filter(({ status }) => status === 503);
    expect(answers.map(({ status }) => status)).toContain(200);
    expectProblem(refused[0]!, 503, 'QueueFull');
    expect(refused[0]!.headers['retry-after']).toBe('1');
    await narrow.close();
  });

  it('holds a place from the first byte of its form, until it is answered or its client has gone', async () => {
    const narrow = await startApp({ MAX_QUEUE: '1' });
    const address = new URL('/v1/caricatures', await narrow.getUrl());
    const depth = async () => /queue_depth (\d+)/.exec((await request(narrow.getHttpServer()).get('/metrics')).text)![1];
    const sendForm = async (type = 'image/png') => request(narrow.getHttpServer()).post('/v1/caricatures').attach('image', await photos.read('astronaut'), { filename: 'me', contentType: type });
    const slow = httpRequest(address, { method: 'POST', headers: { 'content-type': 'multipart/form-data; boundary=x' } }).on('error', () => {});
    slow.write('--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\ncontent-type: image/png\r\n\r\nthe first bytes');
    await expect.poll(depth).toBe('1');
    expectProblem(await sendForm(), 503, 'QueueFull');
    expectProblem(await request(narrow.getHttpServer()).post('/v1/caricatures').type('image/png').send(await photos.read('astronaut')), 503, 'QueueFull');
    slow.destroy();
    await expect.poll(depth).toBe('0');
    expect((await sendForm()).status).toBe(200);
    expectProblem(await sendForm('text/plain'), 415, 'UnsupportedMediaType');
    expect(await depth()).toBe('0');
    await narrow.close();
  });

  it('needs the token where there is one, but for probes and metrics', async () => {
    const closed = await startApp({ API_TOKEN: TOKEN });
    const post = () => request(closed.getHttpServer()).post('/v1/caricatures?crop=none').type('image/png');
    const photo = await photos.read('astronaut');
    const response = await post().send(photo);
    expectProblem(response, 401, 'Unauthorized');
    expect(response.headers['www-authenticate']).toBe('Bearer');
    expectProblem(await post().set('Authorization', 'Bearer wrong').send(photo), 401, 'Unauthorized');
    await post().set('Authorization', `Bearer ${TOKEN}`).send(photo).expect(200);
    for (const path of ['/healthz', '/readyz', '/metrics']) await request(closed.getHttpServer()).get(path).expect(200);
    await closed.close();
  });
});

describe('the Open Inference Protocol', () => {
  const face = Array.from({ length: SIZE * SIZE * 3 }, (_, index) => index % 256);
  const infer = (body: object) => request(server()).post('/v2/models/faces/infer').send(body);
  const anInput = (changes: object = {}) => ({ name: 'image', datatype: 'UINT8', shape: [1, SIZE, SIZE, 3], data: face, ...changes });

  it('describes the server and the model', async () => {
    expect((await request(server()).get('/v2').expect(200)).body).toMatchObject({ name: 'caricature', extensions: ['binary_tensor_data'] });
    await request(server()).get('/v2/health/ready').expect(200);
    expect((await request(server()).get('/v2/models/faces@staging').expect(200)).body).toMatchObject({
      name: 'faces@staging',
      versions: ['1'],
      inputs: [{ name: 'image', datatype: 'UINT8', shape: [-1, SIZE, SIZE, 3] }],
    });
    expect((await request(server()).get('/v2/models/faces/ready').expect(200)).body).toEqual({ name: 'faces', ready: true });
    const missing = await request(server()).get('/v2/models/nobody/ready');
    expectProblem(missing, 404, 'ModelNotFound');
    expect(missing.body).toHaveProperty('error');
  });

  it('takes and gives tensors as JSON', async () => {
    const two = anInput({ shape: [2, SIZE, SIZE, 3], data: [...face, ...face] });
    const { body } = await infer({ id: 'q', inputs: [two] }).expect(200);
    const { outputs, ...rest } = body as { outputs: { data: number[]; shape: number[] }[] };
    expect(rest).toEqual({ id: 'q', model_name: 'faces', model_version: '1' });
    expect(outputs[0]!.shape).toEqual([2, SIZE, SIZE, 3]);
    expect(outputs[0]!.data.slice(0, face.length)).toEqual(outputs[0]!.data.slice(face.length));
  });

  it('takes and gives tensors as bytes, the same as in JSON', async () => {
    const { data, ...described } = anInput({ parameters: { binary_data_size: face.length } });
    const json = Buffer.from(JSON.stringify({ inputs: [described], outputs: [{ name: 'caricature', parameters: { binary_data: true } }] }));
    const response = await request(server())
      .post('/v2/models/faces/infer')
      .set('Content-Type', 'application/octet-stream')
      .set(JSON_BYTES, String(json.length))
      .send(Buffer.concat([json, Buffer.from(data)]))
      .responseType('blob')
      .expect(200);
    const bytes = response.body as Buffer;
    const answer = await infer({ inputs: [anInput()] }).expect(200);
    expect([...bytes.subarray(Number(response.headers[JSON_BYTES]))]).toEqual((answer.body as { outputs: { data: number[] }[] }).outputs[0]!.data);
  });

  it.each([
    ['no JSON', 'x'],
    ['no inputs', {}],
    ['another size', { inputs: [anInput({ shape: [1, 3, 3, 3] })] }],
    ['another type', { inputs: [anInput({ datatype: 'FP32' })] }],
    ['too few values', { inputs: [anInput({ data: [1, 2] })] }],
    ['values that are no bytes', { inputs: [anInput({ data: [...face.slice(1), 256] })] }],
    ['an unknown output', { inputs: [anInput()], outputs: [{ name: 'x' }] }],
  ])('refuses %s', async (_, body) => expectProblem(await infer(body as object), 400, 'InvalidRequest'));
});

describe('operating the server', () => {
  it('counts requests by model and code, and never by a name that a client made up', async () => {
    await ask('?model=invented').send(await photos.read('astronaut'));
    const text = await metrics();
    expect(text).toMatch(/caricature_inference_requests_total\{model="faces@staging",code="200"\} \d/);
    expect(text).toMatch(/caricature_inference_requests_total\{model="unknown",code="404"\} \d/);
    expect(text).toMatch(/caricature_inference_seconds_count\{model="faces@staging"\} \d/);
    expect(text).toContain('caricature_inference_queue_depth 0');
    expect(text).not.toContain('invented');
  });

  it('draws faces that come together in one batch', async () => {
    const photo = await photos.read('astronaut');
    await Promise.all(Array.from({ length: 6 }, () => ask('?crop=none').send(photo).expect(200)));
    const text = await metrics();
    const value = (suffix: string) => Number(new RegExp(`batch_size_${suffix}\\{model="faces@staging"\\} (\\d+)`).exec(text)![1]);
    expect(value('count')).toBeLessThan(value('sum'));
  });

  it('is ready only when its model is there', async () => {
    const waiting = await startApp({ MODEL: 'later@staging' });
    await request(waiting.getHttpServer()).get('/healthz').expect(200);
    expectProblem(await request(waiting.getHttpServer()).get('/readyz'), 503, 'ModelUnavailable');
    await request(waiting.getHttpServer()).get('/readyz?empty=allowed').expect(200);
    controller.aliases.set('later/staging', { version: '1', artifactUri: 'file:///nowhere/publish/missing' });
    expectProblem(await request(waiting.getHttpServer()).get('/readyz?empty=allowed'), 503, 'ModelUnavailable');
    controller.aliases.set('later/staging', controller.aliases.get('faces/staging')!);
    await request(waiting.getHttpServer()).get('/readyz').expect(200);
    await waiting.close();
  });

  it('serves a newly published version by itself', async () => {
    controller.aliases.set('faces/staging', { version: '2', artifactUri: await publishTinyModel(artifacts, 'second', 2) });
    const version = async () => ((await request(server()).get('/v2/models/faces')).body as { versions: string[] }).versions[0];
    await expect.poll(version, { timeout: 20_000 }).toBe('2');
  });
});
