import { colorOptions, componentOptions, faceOptions, names, numbered, type AvatarCategory } from './avatar.options.js';

/** The categories of the `bitstrips` library, drawn by DiceBear's adventurer. */
const longHair = componentOptions('hair', 3000, numbered('long', 26));
const shortHair = componentOptions('hair', 3100, numbered('short', 19));

const shared: AvatarCategory[] = [
  { key: 'hair_tone', options: colorOptions(['hair'], 3200, names('#0e0e0e', '#e5d7a3', '#b9a05f', '#796a45', '#6a4e35', '#562306', '#afafaf', '#ac6511', '#cb6820', '#ab2a18')) },
  { key: 'skin_tone', options: colorOptions(['skin'], 3250, names('#fbe3cb', '#f2d3b1', '#ecad80', '#d69462', '#b9743c', '#9e5622', '#834316', '#763900')) },
  { key: 'brow', options: componentOptions('eyebrows', 3300, numbered('variant', 15)) },
  { key: 'eye', options: componentOptions('eyes', 3400, numbered('variant', 26)) },
  { key: 'mouth', options: componentOptions('mouth', 3500, numbered('variant', 30)) },
  { key: 'glasses', options: componentOptions('glasses', 3600, numbered('variant', 5), {}) },
  { key: 'face', options: faceOptions(3650) },
];

export const bitstripsCategories = {
  male: [
    { key: 'hair', options: shortHair },
    ...shared,
    { key: 'detail', options: componentOptions('details', 3700, names('birthmark', 'freckles', 'mustache'), {}) },
  ],
  female: [
    { key: 'hair', options: longHair },
    ...shared,
    { key: 'detail', options: componentOptions('details', 3700, names('birthmark', 'freckles'), {}) },
    { key: 'earrings', options: componentOptions('earrings', 3750, numbered('variant', 6), {}) },
  ],
} as const satisfies Record<string, readonly AvatarCategory[]>;
