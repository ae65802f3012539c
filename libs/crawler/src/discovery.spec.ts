import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveCatalog } from './resolve-catalog.js';
import { aCrawl, startMisbehavingServer, type MisbehavingServer } from './testing/misbehaving.server.js';

let server: MisbehavingServer;
beforeEach(async () => {
  server = await startMisbehavingServer();
});
afterEach(() => server.stop());

const knownGood = { hair: 1288, glasses: -1, skin: 1500, face: 2100 };
const discovering = (discover: Record<string, { from: number; to: number }>, known: Record<string, number> = knownGood) =>
  aCrawl(server, '', { source: { baseUrl: server.baseUrl, api: 'Legacy', library: 'bitmoji', gender: 'both', template: 'smile', knownGood: known, catalog: { discover } } });

describe('discovery', () => {
  it('keeps the values that succeed, and the known one of what is not varied', async () => {
    const progress: number[] = [];
    const spec = discovering({ hair: { from: 1280, to: 1300 }, skin: { from: 1495, to: 1510 } });
    const { spaces, combinations } = await resolveCatalog(spec, { onProgress: ({ tried, total }) => progress.push(tried / total) });
    expect(spaces).toEqual([
      {
        categories: [
          { key: 'hair', options: [1288, 1290, 1295] },
          { key: 'glasses', options: [-1] },
          { key: 'skin', options: [1500, 1501, 1502, 1503, 1504] },
          { key: 'face', options: [2100] },
        ],
      },
    ]);
    expect(combinations).toBe('15');
    expect(progress.at(-1)).toBe(1);
  });

  it('loses no value to a server that fails now and then', async () => {
    server.fault = (_request, response, n) => n % 4 === 0 && !!response.writeHead(500).end();
    const spec = discovering({ face: { from: 2098, to: 2105 } });
    const { spaces } = await resolveCatalog({ ...spec, politeness: { ...spec.politeness, maxRetries: 8 } });
    expect(spaces[0]!.categories.find(({ key }) => key === 'face')!.options).toEqual([2100, 2101, 2102]);
  });

  it('says that the known-good call is not good, and that nothing was found', async () => {
    await expect(resolveCatalog(discovering({ hair: { from: 1, to: 2 } }, { ...knownGood, skin: 9 }))).rejects.toMatchObject({
      code: 'KnownGoodFails',
      message: expect.stringContaining('no such option: skin=9'),
    });
    await expect(resolveCatalog(discovering({ hair: { from: 1, to: 5 } }))).rejects.toMatchObject({
      code: 'CatalogInvalid',
      message: expect.stringContaining('no value of hair from 1 to 5'),
    });
  });

  it('reads an inline catalog and one at a URL of its own', async () => {
    const inline = { categories: [{ key: 'hair', options: [{ value: 1 }, { value: 2 }] }] };
    const base = aCrawl(server, '');
    expect((await resolveCatalog({ ...base, source: { ...base.source, gender: 'male', catalog: { inline } } })).combinations).toBe('2');
    const url = `${server.baseUrl}/v2/catalog/{gender}.json`;
    const { spaces } = await resolveCatalog({ ...base, source: { ...base.source, catalog: { url } } });
    expect(spaces.map(({ gender }) => gender)).toEqual(['male', 'female']);
    expect(server.asked.filter((path) => path !== '/robots.txt')).toEqual(['/v2/catalog/male.json', '/v2/catalog/female.json']);
  });
});
