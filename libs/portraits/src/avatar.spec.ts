import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { bitmojiCategories } from './avatar.bitmoji.js';
import { countCombinations, currentCatalog, legacyCatalog, parametersOfTraits, traitsOfParameters } from './avatar.catalog.js';
import { categoriesOf, drawAvatar, type AvatarRequest } from './avatar.drawing.js';
import { AVATAR_GENDERS, AVATAR_LIBRARIES, AVATAR_LICENCES } from './avatar.library.js';
import type { AvatarCategory } from './avatar.options.js';
import { AVATAR_TEMPLATES } from './avatar.template.js';
import { TRAIT_NAMES, TRAITS, traitsToRow, type Traits } from './traits.js';

const REQUESTS: AvatarRequest[] = [
  ...AVATAR_LIBRARIES.flatMap((library) => AVATAR_GENDERS.map((gender) => ({ library, gender, parameters: {} }))),
  { template: 'smile', parameters: {} },
];
const nameOf = (request: AvatarRequest) => ('template' in request ? 'legacy' : `${request.library} ${request.gender}`);
const firstOptions = (categories: readonly AvatarCategory[]) => Object.fromEntries(categories.map(({ key, options }) => [key, options[0]!.value]));
const pixels = (png: Buffer) => sharp(png).removeAlpha().raw().toBuffer();

function allTraits(): Traits[] {
  return TRAIT_NAMES.reduce<Partial<Traits>[]>((some, name) => some.flatMap((traits) => TRAITS[name].map((_, value) => ({ ...traits, [name]: value }))), [{}]) as Traits[];
}

describe.each(REQUESTS.map((request) => [nameOf(request), request] as const))('avatars of %s', (_name, request) => {
  it('come in at least 10⁹ combinations, their values unique in each category', () => {
    const categories = categoriesOf(request);
    expect(countCombinations({ categories })).toBeGreaterThanOrEqual(10n ** 9n);
    for (const { options } of categories) expect(new Set(options.map(({ value }) => value)).size).toBe(options.length);
  });

  it('are drawn for every option, opaque, the same each time', async () => {
    const categories = categoriesOf(request);
    const longest = Math.max(...categories.map(({ options }) => options.length));
    for (let index = 0; index < longest; index++) {
      const parameters = Object.fromEntries(categories.map(({ key, options }) => [key, options[index % options.length]!.value]));
      const png = drawAvatar({ ...request, parameters }, 24);
      expect((await sharp(png).stats()).isOpaque).toBe(true);
      if (index === 0) expect(drawAvatar({ ...request, parameters }, 24)).toEqual(png);
    }
  });

  it('look different for each option of the hair', async () => {
    const categories = categoriesOf(request);
    const hair = categories.find(({ key }) => key === 'hair')!;
    const pictures = await Promise.all(hair.options.map(({ value }) => pixels(drawAvatar({ ...request, parameters: { ...firstOptions(categories), hair: value } }, 48))));
    expect(new Set(pictures.map((picture) => picture.toString('base64'))).size).toBe(hair.options.length);
  });
});

describe('true traits', () => {
  it('can be read off every option of every category that shows one', () => {
    for (const categories of [bitmojiCategories.male, bitmojiCategories.female, bitmojiCategories.legacy] as (readonly AvatarCategory[])[]) {
      for (const category of categories.filter(({ trait }) => trait)) {
        for (const { value } of category.options) {
          const traits = traitsOfParameters({ ...firstOptions(categories), template: 'smile', [category.key]: value });
          for (const name of TRAIT_NAMES) expect(TRAITS[name][traits[name]], `${category.key}=${value} → ${name}`).toBeDefined();
        }
      }
    }
  });

  it('lead to parameters that lead back to them, for all 2,700 combinations', () => {
    const all = allTraits();
    expect(all).toHaveLength(5 * 5 * 4 * 3 * 3 * 3);
    for (const traits of all) expect(traitsOfParameters(parametersOfTraits(traits))).toEqual(traits);
  });

  it('are read from numbers and from a query’s digits alike', () => {
    const parameters = parametersOfTraits({ skin: 4, hairColor: 3, hair: 2, glasses: 2, beard: 2, mouth: 2 });
    const digits = Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
    expect(traitsToRow(traitsOfParameters(digits))).toEqual([4, 3, 2, 2, 2, 2]);
  });

  it('take the mouth of an old request from its template, and leave it open without one', () => {
    const parameters = firstOptions(bitmojiCategories.legacy);
    for (const [template, { mouthTrait }] of Object.entries(AVATAR_TEMPLATES)) expect(traitsOfParameters({ ...parameters, template }).mouth).toBe(mouthTrait);
    expect(traitsOfParameters(parameters).mouth).toBe(-1);
  });

  it('are unknown for libraries whose parameters do not say', () => {
    for (const library of ['bitstrips', 'cm'] as const) {
      const parameters = firstOptions(categoriesOf({ library, gender: 'male', parameters: {} }));
      expect(traitsToRow(traitsOfParameters(parameters))).toEqual([-1, -1, -1, -1, -1, -1]);
    }
  });

  it('show in the picture: bald heads have no hair’s colour, dark skins are darker', async () => {
    const base: Traits = { skin: 1, hairColor: 3, hair: 0, glasses: 0, beard: 0, mouth: 1 };
    const red = async (traits: Traits) => {
      const rgb = await pixels(drawAvatar({ library: 'bitmoji', gender: 'male', parameters: parametersOfTraits(traits) }, 64));
      let count = 0;
      for (let at = 0; at < rgb.length; at += 3) if (rgb[at]! > 170 && rgb[at + 1]! < 90 && rgb[at + 2]! < 60) count++;
      return count;
    };
    expect(await red({ ...base, hair: 2 })).toBeGreaterThan((await red(base)) + 200);
    const brightness = await Promise.all([0, 1, 2, 3, 4].map(async (skin) => {
      const { channels } = await sharp(drawAvatar({ library: 'bitmoji', gender: 'male', parameters: parametersOfTraits({ ...base, skin }) }, 64)).stats();
      return channels[0]!.mean + channels[1]!.mean + channels[2]!.mean;
    }));
    expect(brightness).toEqual([...brightness].sort((a, b) => b - a));
  });
});

describe('catalogs', () => {
  it('give beards to men only and other hair to each gender', () => {
    const keys = (gender: 'male' | 'female') => currentCatalog(gender)['bitmoji']!.categories.map(({ key }) => key);
    expect(keys('male')).toContain('beard');
    expect(keys('female')).not.toContain('beard');
    expect(currentCatalog('male')['bitmoji']!.categories[0]).not.toEqual(currentCatalog('female')['bitmoji']!.categories[0]);
  });

  it('hold the ten parameters of the old API, −1 for none', () => {
    const { categories } = legacyCatalog();
    expect(categories).toHaveLength(10);
    expect(categories.filter(({ options }) => options[0]!.value === -1).map(({ key }) => key)).toEqual(['hair', 'beard', 'glasses']);
  });

  it('have a licence and an attribution for each library', () => {
    for (const library of AVATAR_LIBRARIES) expect(AVATAR_LICENCES[library]).toMatchObject({ licence: expect.stringMatching(/.+/), attribution: expect.stringContaining('Remix of') });
  });
});

describe('refusals', () => {
  const parameters = parametersOfTraits({ skin: 0, hairColor: 0, hair: 1, glasses: 0, beard: 0, mouth: 0 });
  it.each([
    ['UNKNOWN_OPTION', { ...parameters, hair: 7 }, 'no such option: hair=7'],
    ['UNKNOWN_PARAMETER', { ...parameters, hat: 1 }, 'unknown parameter: hat'],
    ['MISSING_PARAMETER', { hair: 1288 }, 'missing parameter: hair_tone'],
  ])('say what is wrong: %s', (code, wrong, message) => {
    expect(() => drawAvatar({ library: 'bitmoji', gender: 'male', parameters: wrong })).toThrow(expect.objectContaining({ code, retryable: false, message }));
  });
});
