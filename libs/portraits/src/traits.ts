/**
 * What can be seen in a face whoever draws it: the true parameters that transfer is scored on.
 * The order of the names and of the values is part of every stored traits array (N, 6).
 */
export const TRAITS = {
  skin: ['pale', 'light', 'tan', 'brown', 'dark'],
  hairColor: ['black', 'brown', 'blonde', 'red', 'gray'],
  hair: ['bald', 'short', 'long', 'curly'],
  glasses: ['none', 'glasses', 'sunglasses'],
  beard: ['none', 'moustache', 'full'],
  mouth: ['smile', 'serious', 'open'],
} as const;

export type TraitName = keyof typeof TRAITS;

/** Index of each trait's value in `TRAITS`; −1 where it is not known. */
export type Traits = Record<TraitName, number>;

export const TRAIT_NAMES = Object.keys(TRAITS) as TraitName[];

export const UNKNOWN_TRAIT = -1;

/** The traits as a row of a (N, 6) array. */
export function traitsToRow(traits: Traits): number[] {
  return TRAIT_NAMES.map((name) => traits[name]);
}

/** `{ skin: 0, … }` in words, e.g. "pale skin": for captions and tests. */
export function describeTraits(traits: Traits): string {
  return TRAIT_NAMES.map((name) => `${name} ${TRAITS[name][traits[name]] ?? 'unknown'}`).join(', ');
}
