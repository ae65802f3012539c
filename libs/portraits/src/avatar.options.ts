import type { TraitName } from './traits.js';

/** What an option sets in the style's own (DiceBear) vocabulary. */
export type StyleSettings = Readonly<Record<string, string | readonly string[] | number>>;

export interface AvatarOption {
  /** The number that callers of the avatar API send; −1 means none. */
  readonly value: number;
  readonly settings: StyleSettings;
  /** Width of the face against its height, for options of the `face` category. */
  readonly widthFactor?: number;
  /** Index in TRAITS of the category's trait. */
  readonly trait?: number;
}

export interface AvatarCategory {
  readonly key: string;
  readonly trait?: TraitName;
  readonly options: readonly AvatarOption[];
}

/** One named variant of a component: its name in the style, and the trait it shows. */
export type Variant = readonly [name: string, trait?: number];

/**
 * Options of one component, numbered from `base` in steps of 3: the gaps make discovery find something and refuse
 * something. `none` is the option −1 that leaves the component away.
 */
export function componentOptions(component: string, base: number, variants: readonly Variant[], none?: { trait?: number }): AvatarOption[] {
  const shown = variants.map(([name, trait], index) => ({
    value: base + 3 * index,
    settings: { [`${component}Variant`]: name, [`${component}Probability`]: 100 },
    ...(trait === undefined ? {} : { trait }),
  }));
  if (!none) return shown;
  return [{ value: -1, settings: { [`${component}Probability`]: 0 }, ...none }, ...shown];
}

/** Options of one or more colour slots; all slots take the same colour. */
export function colorOptions(slots: readonly string[], base: number, colors: readonly Variant[]): AvatarOption[] {
  return colors.map(([color, trait], index) => ({
    value: base + 3 * index,
    settings: Object.fromEntries(slots.map((slot) => [`${slot}Color`, [color]])),
    ...(trait === undefined ? {} : { trait }),
  }));
}

/** Face shapes from narrow to wide. */
export function faceOptions(base: number): AvatarOption[] {
  return [0.9, 0.95, 1, 1.05, 1.1].map((widthFactor, index) => ({ value: base + 3 * index, settings: {}, widthFactor }));
}

/** Keeps the options whose variant is listed (and none); the numbers stay those of the full list. */
export function onlyVariants(category: AvatarCategory, component: string, names: readonly string[]): AvatarCategory {
  const kept = (option: AvatarOption) => option.value === -1 || names.includes(String(option.settings[`${component}Variant`]));
  return { ...category, options: category.options.filter(kept) };
}

export function names(...list: string[]): Variant[] {
  return list.map((name) => [name]);
}

/** `variant01` … `variantNN`, as several styles number their variants. */
export function numbered(prefix: string, count: number, from = 1): Variant[] {
  return Array.from({ length: count }, (_, index) => [`${prefix}${String(from + index).padStart(2, '0')}`]);
}
