import { bitmojiCategories, bitmojiTraitCategories } from './avatar.bitmoji.js';
import { findOption, type AvatarParameters } from './avatar.drawing.js';
import { AVATAR_LIBRARIES, LIBRARY_STYLES, type AvatarGender } from './avatar.library.js';
import type { AvatarCategory } from './avatar.options.js';
import { AVATAR_TEMPLATES } from './avatar.template.js';
import { TRAIT_NAMES, UNKNOWN_TRAIT, type Traits } from './traits.js';

/** What may be asked for, as the avatar APIs publish it. */
export interface AvatarCatalog {
  readonly categories: readonly { readonly key: string; readonly options: readonly { readonly value: number }[] }[];
}

/** The old API's catalog. */
export function legacyCatalog(): AvatarCatalog {
  return catalogOf(bitmojiCategories.legacy);
}

/** The current API's catalog of a gender: one a library. */
export function currentCatalog(gender: AvatarGender): Record<string, AvatarCatalog> {
  return Object.fromEntries(AVATAR_LIBRARIES.map((library) => [library, catalogOf(LIBRARY_STYLES[library].categories[gender])]));
}

/** How many different avatars a catalog can ask for. */
export function countCombinations(catalog: AvatarCatalog): bigint {
  return catalog.categories.reduce((product, category) => product * BigInt(category.options.length), 1n);
}

/**
 * The true traits of an avatar asked for with these parameters (with `template` for the old API, which decides the mouth).
 * Total over the bitmoji library; −1 for what the parameters do not say, so all −1 for the other libraries.
 */
export function traitsOfParameters(parameters: AvatarParameters): Traits {
  const traits = Object.fromEntries(TRAIT_NAMES.map((name) => [name, UNKNOWN_TRAIT])) as Traits;
  for (const category of bitmojiTraitCategories) {
    const given = parameters[category.key];
    const option = given === undefined ? undefined : findOption(category, given);
    if (option?.trait !== undefined && category.trait) traits[category.trait] = option.trait;
  }
  if (!isBitmoji(parameters)) return Object.fromEntries(TRAIT_NAMES.map((name) => [name, UNKNOWN_TRAIT])) as Traits;
  if (traits.mouth === UNKNOWN_TRAIT) traits.mouth = AVATAR_TEMPLATES[String(parameters['template'])]?.mouthTrait ?? UNKNOWN_TRAIT;
  // The women's catalog has no beards to choose, so a complete request without one shows none.
  if (parameters['beard'] === undefined) traits.beard = 0;
  return traits;
}

/** Every library has its own numbers, but −1 (none) is all libraries': the skin tone tells whose parameters these are. */
function isBitmoji(parameters: AvatarParameters): boolean {
  const skinTone = bitmojiTraitCategories.find((category) => category.key === 'skin_tone')!;
  return parameters['skin_tone'] !== undefined && findOption(skinTone, parameters['skin_tone']) !== undefined;
}

/**
 * Parameters of the bitmoji library that show these traits: the first option of each category that does, anything for
 * the rest. The inverse of traitsOfParameters. Men's catalog, because only it has every trait's values.
 */
export function parametersOfTraits(traits: Traits): Record<string, number> {
  return Object.fromEntries(
    bitmojiCategories.male.map((category: AvatarCategory) => {
      const wanted = category.trait ? traits[category.trait] : undefined;
      const option = category.options.find((candidate) => candidate.trait === wanted) ?? category.options[0]!;
      return [category.key, option.value];
    }),
  );
}

function catalogOf(categories: readonly AvatarCategory[]): AvatarCatalog {
  return { categories: categories.map(({ key, options }) => ({ key, options: options.map(({ value }) => ({ value })) })) };
}
