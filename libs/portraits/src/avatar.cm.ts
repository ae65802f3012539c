import { colorOptions, componentOptions, faceOptions, names, onlyVariants, type AvatarCategory } from './avatar.options.js';

/** The categories of the `cm` library, drawn by DiceBear's micah. */
const hair: AvatarCategory = { key: 'hair', options: componentOptions('hair', 4000, names('fonze', 'dougFunny', 'mrT', 'dannyPhantom', 'full', 'pixie'), {}) };

const shared: AvatarCategory[] = [
  { key: 'hair_tone', options: colorOptions(['hair', 'eyebrows'], 4100, names('#1b1411', '#3b2417', '#5a3820', '#8a5a2b', '#c79a4b', '#e3c478', '#a33b1b', '#c93305', '#9b9b9b', '#d9d4d0')) },
  { key: 'skin_tone', options: colorOptions(['base'], 4200, names('#fbe0d3', '#f9c9b6', '#eab391', '#d99a73', '#c17d58', '#ac6651', '#8f4b33', '#77311d', '#5c2617', '#471d12')) },
  { key: 'eye', options: componentOptions('eyes', 4300, names('eyes', 'eyesShadow', 'round', 'smiling', 'smilingShadow')) },
  { key: 'eye_tone', options: colorOptions(['eyes'], 4350, names('#000000', '#3a2a1a', '#1f3a52', '#2d4a2b')) },
  { key: 'brow', options: componentOptions('eyebrows', 4400, names('up', 'down', 'eyelashesUp', 'eyelashesDown')) },
  { key: 'nose', options: componentOptions('nose', 4450, names('curve', 'pointed', 'tound')) },
  { key: 'mouth', options: componentOptions('mouth', 4500, names('smile', 'laughing', 'smirk', 'surprised', 'nervous', 'pucker', 'sad', 'frown')) },
  { key: 'ear', options: componentOptions('ears', 4550, names('attached', 'detached')) },
  { key: 'glasses', options: componentOptions('glasses', 4600, names('round', 'square'), {}) },
  { key: 'glasses_tone', options: colorOptions(['glasses'], 4650, names('#000000', '#9287ff', '#f4d150', '#77311d', '#6bd9e9', '#ffffff')) },
  { key: 'outfit', options: componentOptions('clothes', 4700, names('collared', 'crew', 'open')) },
  { key: 'outfit_tone', options: colorOptions(['shirt'], 4750, names('#6bd9e9', '#9287ff', '#f4d150', '#fc909f', '#e0ddff', '#77311d', '#d2eff3', '#ffeba4', '#000000', '#ffedef')) },
  { key: 'face', options: faceOptions(4800) },
];

export const cmCategories = {
  male: [
    onlyVariants(hair, 'hair', ['fonze', 'dougFunny', 'mrT', 'dannyPhantom']),
    { key: 'beard', options: componentOptions('facialHair', 4850, names('beard', 'scruff'), {}) },
    ...shared,
  ],
  female: [
    onlyVariants(hair, 'hair', ['full', 'pixie', 'dannyPhantom', 'dougFunny']),
    { key: 'earrings', options: componentOptions('earrings', 4900, names('hoop', 'stud'), {}) },
    ...shared,
  ],
} as const satisfies Record<string, readonly AvatarCategory[]>;
