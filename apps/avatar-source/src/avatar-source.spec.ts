import type { INestApplication } from '@nestjs/common';
import request from 'supertest';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AvatarCatalog } from '@caricature/portraits';
import { createAvatarSourceApp } from './avatar-source.app.js';
import { readAvatarSourceEnv } from './avatar-source.env.js';
import { AvatarCache } from './avatars/avatar.cache.js';

const GOOD = 'hair=1288&hair_tone=1400&skin_tone=1500&beard=-1&glasses=-1&glasses_tone=1700&brows=1800&outfit=1900&outfit_tone=2000&face=2100';
const LEGACY = `/legacy/render/smile.png?${GOOD}`;

let app: INestApplication;
const get = (path: string) => request(app.getHttpServer()).get(path).redirects(0);
const lastOptions = (catalog: AvatarCatalog) => catalog.categories.map(({ key, options }) => `${key}=${options.at(-1)!.value}`).join('&');

beforeAll(async () => {
  app = await createAvatarSourceApp({ crawlDelayS: 0.5 });
  // A listening server: supertest would otherwise open and close one for each request.
  await app.listen(0, '127.0.0.1');
});
afterAll(() => app.close());

describe('the old API', () => {
  it('draws a template with parameters, 152 × 152 unless asked otherwise', async () => {
    const answer = await get(LEGACY).expect(200).expect('Content-Type', 'image/png').expect('X-Licence', /personal and commercial/);
    expect(await sharp(answer.body).metadata()).toMatchObject({ width: 152, height: 152, format: 'png' });
    const other = await get(`${LEGACY}&width=64&height=96`).expect(200);
    expect(await sharp(other.body).metadata()).toMatchObject({ width: 64, height: 96 });
  });

  it.each([
    ['an unknown value', LEGACY.replace('hair=1288', 'hair=1289'), 404, 'no such option: hair=1289'],
    ['an unknown template', LEGACY.replace('smile', 'constructor'), 404, 'no such template: constructor'],
    ['a missing parameter', LEGACY.replace('hair=1288&', ''), 400, 'missing parameter: hair'],
    ['an unknown parameter', `${LEGACY}&hat=1`, 400, 'unknown parameter: hat'],
    ['a repeated parameter', `${LEGACY}&face=2100`, 400, 'parameter given more than once: face'],
    ['a picture too large', `${LEGACY}&width=513`, 400, 'width must be a whole number from 16 to 512'],
  ])('refuses %s in one line', async (_what, path, status, text) => {
    const answer = await get(path).expect(status).expect('Content-Type', /text\/plain/);
    expect(answer.text).toBe(`${text}\n`);
  });

  it('lets the hair options of the catalog be found by trying values', async () => {
    const catalog = (await get('/legacy/catalog.json').expect(200)).body as AvatarCatalog;
    const offered = catalog.categories.find(({ key }) => key === 'hair')!.options.map(({ value }) => value);
    const found: number[] = [];
    for (const value of [-1, ...Array.from({ length: 60 }, (_, index) => 1285 + index)]) {
      const answer = await get(LEGACY.replace('hair=1288', `hair=${value}`) + '&width=16&height=16');
      if (answer.status === 200) found.push(value);
    }
    expect(found).toEqual(offered);
  });

  it('lists its templates', async () => {
    expect((await get('/legacy/templates.json')).body.templates).toContain('tilt_left');
  });
});

describe('the current API', () => {
  it.each(['male', 'female'])('draws every library for %s from the catalog it serves', async (gender) => {
    const { body } = await get(`/v2/catalog/${gender}.json`).expect(200).expect('Content-Type', /json/);
    expect(Object.keys(body)).toEqual(['bitmoji', 'bitstrips', 'cm']);
    for (const library of Object.keys(body)) {
      await get(`/v2/render/${library}/${gender}.png?${lastOptions(body[library])}`).expect(200).expect('Content-Type', 'image/png');
    }
  });

  it('has other options for each gender', async () => {
    const male = (await get('/v2/catalog/male.json')).body.bitmoji as AvatarCatalog;
    await get(`/v2/render/bitmoji/female.png?${lastOptions(male)}`).expect(400, 'unknown parameter: beard\n');
  });

  it('refuses unknown libraries and genders', async () => {
    await get('/v2/render/other/male.png').expect(404, 'no such library: other\n');
    await get('/v2/render/cm/other.png').expect(404, 'no such gender: other\n');
    await get('/v2/catalog/other.json').expect(404, 'no such gender: other\n');
  });
});

describe('the site', () => {
  it('answers 304 to a client that has the avatar', async () => {
    const first = await get(LEGACY).expect('Cache-Control', /max-age/);
    const etag = first.headers['etag']!;
    expect(etag).toMatch(/^"[\w-]+"$/);
    await get(LEGACY).set('If-None-Match', `"other", ${etag}`).expect(304);
    await get(LEGACY.replace('1288', '1291')).set('If-None-Match', etag).expect(200);
  });

  it('tells crawlers where to go and how fast', async () => {
    const { text } = await get('/robots.txt').expect(200).expect('Content-Type', /text\/plain/);
    expect(text.split('\n')).toEqual(expect.arrayContaining(['User-agent: *', 'Allow: /v2/', 'Disallow: /private/', 'Crawl-delay: 0.5']));
  });

  it('names licence, author and source of each library', async () => {
    const { licences } = (await get('/licences.json')).body;
    expect(licences.map((licence: { library: string; licence: string }) => [licence.library, licence.licence])).toEqual([
      ['bitmoji', 'Free for personal and commercial use'], ['bitstrips', 'CC BY 4.0'], ['cm', 'CC BY 4.0'],
    ]);
    expect(licences.every((licence: { attribution: string; creator: string }) => licence.attribution.includes(licence.creator))).toBe(true);
  });

  it('is healthy', () => get('/healthz').expect(200, { status: 'ok' }));
});

describe('faults', () => {
  it('asks for patience with 429 and Retry-After', () => get(`/faults/too-many-requests/7/1${LEGACY}`).expect(429).expect('Retry-After', '7'));
  it('breaks with the status asked for', () => get(`/faults/error/503/1${LEGACY}`).expect(503));
  it('is slow but right', () => get(`/faults/slow/20/1${LEGACY}`).expect(200).expect('Content-Type', 'image/png'));

  it('ends a PNG early within a whole response', async () => {
    const whole = (await get(LEGACY)).body as Buffer;
    const part = (await get(`/faults/truncated/50/1${LEGACY}`).expect(200).expect('Content-Type', 'image/png')).body as Buffer;
    expect(part).toEqual(whole.subarray(0, Math.floor(whole.length / 2)));
  });

  it('cuts the connection', async () => {
    await expect(get(`/faults/cut/50/1${LEGACY}`)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  it('sends HTML, admitted or not', async () => {
    await get(`/faults/wrong-type/html/1${LEGACY}`).expect(200).expect('Content-Type', /html/);
    const { body } = await get(`/faults/wrong-type/image/1${LEGACY}`).expect('Content-Type', 'image/png');
    expect(String(body)).toContain('<!doctype html>');
  });

  it('redirects to the same path, here or elsewhere', async () => {
    await get(`/faults/redirect/same/1${LEGACY}`).expect(302).expect('Location', LEGACY);
    await get(`/faults/redirect/${encodeURIComponent('http://127.0.0.1:9')}/1${LEGACY}`).expect('Location', `http://127.0.0.1:9${LEGACY}`);
  });

  it('spoils only every n-th render and never a catalog', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 6; i++) {
      statuses.push((await get(`/faults/error/500/3${LEGACY}`)).status);
      await get('/faults/error/500/3/v2/catalog/male.json').expect(200);
    }
    expect(statuses).toEqual([200, 200, 500, 200, 200, 500]);
  });

  it('does not know others', () => get(`/faults/other/1/1${LEGACY}`).expect(404));
});

describe('its settings', () => {
  it('come from the environment and name what is wrong', () => {
    expect(readAvatarSourceEnv({})).toMatchObject({ port: 4010, host: '127.0.0.1' });
    expect(readAvatarSourceEnv({ PORT: '0', CRAWL_DELAY_S: '1.5' })).toMatchObject({ port: 0, crawlDelayS: 1.5 });
    expect(() => readAvatarSourceEnv({ PORT: 'x' })).toThrow(/PORT must be a number/);
  });
});

describe('the cache', () => {
  it('stays within its bytes and forgets what was used least recently', () => {
    const cache = new AvatarCache(25);
    cache.add('a', Buffer.alloc(10));
    cache.add('b', Buffer.alloc(10));
    cache.find('a');
    cache.add('c', Buffer.alloc(10));
    expect([cache.find('a')?.length, cache.find('b'), cache.find('c')?.length, cache.usedBytes]).toEqual([10, undefined, 10, 20]);
    cache.add('d', Buffer.alloc(30));
    expect(cache.usedBytes).toBe(0);
  });
});
