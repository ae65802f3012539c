import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { crawl } from './crawl.js';
import { aCrawl, drawing, startMisbehavingServer, type MisbehavingServer } from './testing/misbehaving.server.js';

let server: MisbehavingServer;
let dir: string;
const renders = () => server.asked.filter((path) => path.includes('/render/'));

beforeEach(async () => {
  server = await startMisbehavingServer();
  dir = await mkdtemp(join(tmpdir(), 'caricature-crawl-'));
});
afterEach(async () => {
  await server.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('crawl', () => {
  it('writes WebDataset shards that plain tar reads, with the parameters beside each picture', async () => {
    const result = await crawl(aCrawl(server, dir));
    expect(result).toMatchObject({ images: 25, failed: 0, duplicates: 0, combinations: '240', shards: 3 });
    expect((await readdir(dir)).sort()).toEqual(
      ['avatars-000000.json', 'avatars-000000.tar', 'avatars-000001.json', 'avatars-000001.tar', 'avatars-000002.json', 'avatars-000002.tar', 'catalog.json'],
    );
    const listed = execFileSync('tar', ['-tf', join(dir, 'avatars-000002.tar')], { encoding: 'utf8' }).trim().split('\n');
    expect(listed).toEqual([20, 21, 22, 23, 24].flatMap((i) => [`0000000${i}.png`, `0000000${i}.json`]));
    const extract = (name: string) => execFileSync('tar', ['-xOf', join(dir, 'avatars-000002.tar'), name]);
    const described = JSON.parse(extract('000000021.json').toString());
    expect(described).toMatchObject({ index: 21, library: 'bitmoji', gender: 'female', parameters: { hair: expect.any(Number), glasses: expect.any(Number) } });
    expect(extract('000000021.png').equals(await drawing(new URL(described.path, server.baseUrl)))).toBe(true);
    expect(new Set(renders()).size).toBe(25);
  });

  it('asks the Legacy API by template', async () => {
    const source = { baseUrl: `${server.baseUrl}/`, api: 'Legacy' as const, library: 'bitmoji', gender: 'both' as const, template: 'smile' };
    expect(await crawl(aCrawl(server, dir, { source }))).toMatchObject({ images: 25, combinations: '120' });
    expect(renders()[0]).toMatch(/^\/legacy\/render\/smile\.png\?hair=-?\d+&glasses=-?\d+&skin=\d+&face=\d+&width=64&height=64$/);
    const described = JSON.parse(execFileSync('tar', ['-xOf', join(dir, 'avatars-000000.tar'), '000000000.json'], { encoding: 'utf8' }));
    expect(described).toMatchObject({ template: 'smile' });
    expect(described).not.toHaveProperty('gender');
  });

  it('gives the same bytes again, and does not ask again for what is finished', async () => {
    await crawl(aCrawl(server, dir));
    const other = await mkdtemp(join(tmpdir(), 'caricature-crawl-'));
    await crawl(aCrawl(server, other, { politeness: { ...aCrawl(server, '').politeness, concurrency: 1 } }));
    for (const name of await readdir(dir)) expect(await readFile(join(dir, name))).toEqual(await readFile(join(other, name)));
    const before = renders().length;
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, bytes: expect.any(Number), duplicates: 0 });
    expect(renders()).toHaveLength(before);
    await rm(other, { recursive: true });
  });

  it('shares a crawl between processes, shard by shard', async () => {
    const alone = await mkdtemp(join(tmpdir(), 'caricature-crawl-'));
    await crawl(aCrawl(server, alone));
    const parts = await Promise.all([0, 1].map((index) => crawl(aCrawl(server, dir, { part: { index, of: 2 } }))));
    expect(parts.map(({ images, shards }) => [images, shards])).toEqual([[15, 2], [10, 1]]);
    expect((await readdir(dir)).sort()).toEqual((await readdir(alone)).sort());
    for (const name of await readdir(dir)) expect(await readFile(join(dir, name))).toEqual(await readFile(join(alone, name)));
    await rm(alone, { recursive: true });
  });

  it('counts equal pictures, and still keeps them', async () => {
    const picture = await drawing(new URL('http://one/'));
    server.fault = (_request, response, n) => n > 22 && !!response.setHeader('content-type', 'image/png').end(picture);
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, duplicates: 2 });
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, duplicates: 2 });
  });

  it('gets every picture from a server that fails every third time, in every way', async () => {
    const wrong = [
      (response: ServerResponse) => response.writeHead(500).end('broken'),
      (response: ServerResponse) => response.writeHead(429, { 'retry-after': '0' }).end(),
      (response: ServerResponse) => response.setHeader('content-type', 'text/html').end('<html>'),
      (response: ServerResponse) => response.setHeader('content-type', 'image/png').end('<html>'),
      (response: ServerResponse) => response.destroy(),
    ];
    server.fault = (_request, response, n) => n % 3 === 0 && !!wrong[(n / 3) % wrong.length]!(response);
    const politeness = { ...aCrawl(server, dir).politeness, maxRetries: 8, concurrency: 12 };
    const result = await crawl(aCrawl(server, dir, { politeness }));
    expect(result).toMatchObject({ images: 25, failed: 0, duplicates: 0 });
    expect(result.statistics['retry/count']).toBe(renders().length - 25);
  });

  it('takes no truncated picture, whether the body or the connection is cut', async () => {
    const cut = new Set<string>();
    server.fault = async (request, response) => {
      if (cut.has(request.url!)) return false;
      cut.add(request.url!);
      const cutConnection = cut.size % 2 === 1;
      const whole = await drawing(new URL(request.url!, server.baseUrl));
      response.setHeader('content-type', 'image/png');
      if (cutConnection) response.setHeader('content-length', whole.length).write(whole.subarray(0, whole.length / 2), () => response.destroy());
      else response.end(whole.subarray(0, whole.length - 20));
      return true;
    };
    const politeness = { ...aCrawl(server, dir).politeness, concurrency: 8 };
    const result = await crawl(aCrawl(server, dir, { sampling: { count: 8, seed: 1 }, politeness }));
    expect(result).toMatchObject({ images: 8, failed: 0, statistics: { 'retry/reason/broken': 4, 'retry/reason/network': 4 } });
  });

  it('records a sample that is refused and goes on', async () => {
    server.fault = (_request, response, n) => n === 3 && !!response.writeHead(404).end('no such option: hair=1');
    const politeness = { ...aCrawl(server, dir).politeness, concurrency: 1 };
    expect(await crawl(aCrawl(server, dir, { politeness }))).toMatchObject({ images: 24, failed: 1, shards: 3 });
    const statistics = JSON.parse(await readFile(join(dir, 'avatars-000000.json'), 'utf8'));
    expect(statistics).toMatchObject({ images: 9, count: 10, failed: [{ index: 2, reason: 'refused' }] });
    expect(await crawl(aCrawl(server, dir, { politeness }))).toMatchObject({ images: 24, failed: 1 });
    expect(renders()).toHaveLength(25);
  });

  it('ends where the source wants to be left alone for long, and carries on when it is asked again', async () => {
    server.fault = (_request, response, n) => n > 12 && !!response.writeHead(429, { 'retry-after': '3600' }).end('enough for today');
    await expect(crawl(aCrawl(server, dir))).rejects.toMatchObject({ code: 'SourceFailing', retryable: true, message: expect.stringMatching(/left alone for 60 minutes .*429 "enough for today".*run again/) });
    server.fault = () => false;
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, failed: 0 });
    expect(renders().length).toBeLessThanOrEqual(25 + aCrawl(server, dir).politeness.concurrency);
  });

  it('names a dead source and what to change, and carries on when it lives again', async () => {
    await crawl(aCrawl(server, dir, { onProgress: ({ images }) => images === 12 && void server.stop() })).then(
      () => expect.unreachable(),
      (error: unknown) =>
        expect(error).toMatchObject({ code: 'SourceUnreachable', retryable: true, message: expect.stringMatching(new RegExp(`${server.baseUrl} cannot be reached.*source.baseUrl`)) }),
    );
    const asked = renders().length;
    server = await startMisbehavingServer(); // elsewhere: the port of a source is no part of its crawl
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, failed: 0 });
    expect(renders().length).toBeLessThanOrEqual(25 - 12);
    expect(asked).toBeGreaterThanOrEqual(12);
  });

  it('ends when all that comes is refused, and blames no sample for it', async () => {
    server.fault = (_request, response) => !!response.writeHead(404).end('no such option: hair=7');
    const refused = { code: 'SourceRefuses', retryable: false, message: expect.stringContaining('404 "no such option: hair=7"') };
    await expect(crawl(aCrawl(server, dir))).rejects.toMatchObject(refused);
    server.fault = () => false;
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, failed: 0 });
  });

  it('stops when told to and carries on where it was', async () => {
    const stop = new AbortController();
    const stopped = crawl(aCrawl(server, dir, { signal: stop.signal, onProgress: ({ images }) => images >= 11 && stop.abort() }));
    await expect(stopped).rejects.toMatchObject({ code: 'Aborted', retryable: true });
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, duplicates: 0 });
  });

  it('keeps to the catalog it began with, and refuses a folder of another crawl', async () => {
    const stop = new AbortController();
    await crawl(aCrawl(server, dir, { signal: stop.signal, onProgress: ({ images }) => images === 5 && stop.abort() })).catch(() => {});
    server.catalog = { ...server.catalog, hat: [-1, 1] };
    server.fault = async (request, response) => {
      response.setHeader('content-type', 'image/png').end(await drawing(new URL(request.url!, server.baseUrl)));
      return true;
    };
    expect(await crawl(aCrawl(server, dir))).toMatchObject({ images: 25, combinations: '240' });
    await expect(crawl(aCrawl(server, dir, { sampling: { count: 25, seed: 8 } }))).rejects.toMatchObject({ code: 'DirectoryOfAnotherCrawl', retryable: false });
  });

  it('says what is wrong with a catalog that is none, and with a count beyond it', async () => {
    await expect(crawl(aCrawl(server, dir, { sampling: { count: 241, seed: 1 } }))).rejects.toMatchObject({ code: 'TooFewCombinations' });
    const source = { ...aCrawl(server, dir).source, library: 'cm' };
    await expect(crawl(aCrawl(server, dir, { source }))).rejects.toMatchObject({ code: 'CatalogInvalid', message: expect.stringContaining('it has bitmoji') });
    await writeFile(join(dir, 'not-a-folder'), '');
    await expect(crawl(aCrawl(server, join(dir, 'not-a-folder')))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });
});
