import { describe, expect, it } from 'vitest';
import { parseCatalog } from './catalog.js';

const legacy = { categories: [{ key: 'hair', options: [{ value: -1 }, { value: 1288, name: 'x' }, { value: -1 }] }] };

describe('parseCatalog', () => {
  it('reads both shapes, each value once', () => {
    const parsed = [{ key: 'hair', options: [-1, 1288] }];
    expect(parseCatalog(legacy, 'bitmoji')).toEqual(parsed);
    expect(parseCatalog({ bitstrips: legacy, cm: { categories: [] } }, 'bitstrips')).toEqual(parsed);
  });

  it.each([
    [null, 'it has nothing'],
    [{ cm: legacy }, '"bitmoji": {"categories"}; it has cm'],
    [{ categories: [] }, 'no categories'],
    [{ categories: [{ key: 'hair', options: [] }] }, 'hair has no options'],
    [{ categories: [{ key: 'hair', options: [{ value: '1' }] }] }, 'hair has an option that is not'],
    [{ categories: [{ key: 'a&b', options: [{ value: 1 }] }] }, 'key is "a&b"'],
    [{ categories: [legacy.categories[0], legacy.categories[0]] }, 'hair comes twice'],
  ])('refuses %j and says why', (json, reason) => {
    expect(() => parseCatalog(json, 'bitmoji')).toThrow(expect.objectContaining({ code: 'CatalogInvalid', message: expect.stringContaining(reason) }));
  });
});
