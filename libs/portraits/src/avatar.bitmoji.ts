import { colorOptions, componentOptions, faceOptions, names, onlyVariants, type AvatarCategory, type Variant } from './avatar.options.js';

/** The categories of the `bitmoji` library, drawn by DiceBear's avataaars. Every trait can be read off its parameters. */
const [BALD, SHORT, LONG, CURLY] = [0, 1, 2, 3] as const;

const HAIR: Variant[] = [
  ['sides', BALD],
  ['shortFlat', SHORT], ['shortRound', SHORT], ['shortWaved', SHORT], ['theCaesar', SHORT], ['dreads01', SHORT], ['shaggy', SHORT],
  ['straight01', LONG], ['straight02', LONG], ['straightAndStrand', LONG], ['longButNotTooLong', LONG], ['bob', LONG], ['miaWallace', LONG],
  ['fro', CURLY], ['curly', CURLY], ['dreads02', CURLY], ['froBand', CURLY],
];

const hair: AvatarCategory = { key: 'hair', trait: 'hair', options: componentOptions('top', 1288, HAIR, { trait: BALD }) };

const hairTone: AvatarCategory = {
  key: 'hair_tone',
  trait: 'hairColor',
  options: colorOptions(['hair', 'facialHair'], 1400, [
    ['#2c1b18', 0], ['#1c1512', 0], ['#724133', 1], ['#68402a', 1], ['#d6b370', 2],
    ['#e6c77f', 2], ['#c93305', 3], ['#b83a14', 3], ['#e8e1e1', 4], ['#cbc6c6', 4],
  ]),
};

const skinTone: AvatarCategory = {
  key: 'skin_tone',
  trait: 'skin',
  options: colorOptions(['skin'], 1500, [
    ['#ffdbb4', 0], ['#fddcc4', 0], ['#edb98a', 1], ['#e8b282', 1], ['#d08b5b', 2],
    ['#c98454', 2], ['#ae5d29', 3], ['#9f572d', 3], ['#614335', 4], ['#543a2f', 4],
  ]),
};

const beard: AvatarCategory = {
  key: 'beard',
  trait: 'beard',
  options: componentOptions('facialHair', 1600, [['moustacheMagnum', 1], ['moustacheFancy', 1], ['beardMedium', 2], ['beardLight', 2], ['beardMajestic', 2]], { trait: 0 }),
};

const glasses: AvatarCategory = {
  key: 'glasses',
  trait: 'glasses',
  options: componentOptions('accessories', 1650, [['prescription02', 1], ['round', 1], ['sunglasses', 2], ['wayfarers', 2]], { trait: 0 }),
};

const glassesTone: AvatarCategory = {
  key: 'glasses_tone',
  options: colorOptions(['accessories'], 1700, names('#262e33', '#25557c', '#5c3a21', '#3c4f5c', '#7a1f2b')),
};

const mouth: AvatarCategory = {
  key: 'mouth',
  trait: 'mouth',
  options: componentOptions('mouth', 1750, [['smile', 0], ['twinkle', 0], ['serious', 1], ['sad', 1], ['screamOpen', 2], ['concerned', 2]]),
};

const eyes: AvatarCategory = {
  key: 'eyes',
  options: componentOptions('eyes', 1775, names('default', 'side', 'squint', 'surprised', 'happy', 'closed', 'wink')),
};

const brows: AvatarCategory = {
  key: 'brows',
  options: componentOptions('eyebrows', 1800, names('default', 'defaultNatural', 'angry', 'angryNatural', 'flatNatural', 'frownNatural',
    'raisedExcited', 'raisedExcitedNatural', 'sadConcerned', 'sadConcernedNatural', 'upDown', 'upDownNatural')),
};

const outfit: AvatarCategory = {
  key: 'outfit',
  options: componentOptions('clothes', 1900, names('shirtCrewNeck', 'shirtScoopNeck', 'shirtVNeck', 'hoodie', 'overall', 'collarAndSweater', 'blazerAndShirt', 'blazerAndSweater')),
};

const outfitTone: AvatarCategory = {
  key: 'outfit_tone',
  options: colorOptions(['clothes'], 2000, names('#262e33', '#65c9ff', '#5199e4', '#25557c', '#e6e6e6', '#929598', '#3c4f5c',
    '#b1e2ff', '#a7ffc4', '#ffafb9', '#ffffb1', '#ff488e', '#ff5c5c', '#6a9a3b')),
};

const face: AvatarCategory = { key: 'face', options: faceOptions(2100) };

/** Few or no variants of a kind for one gender, and as many of each trait's values as the other has. */
export const bitmojiCategories = {
  male: [
    onlyVariants(hair, 'top', ['sides', 'shortFlat', 'shortRound', 'shortWaved', 'theCaesar', 'straight01', 'straight02', 'longButNotTooLong', 'fro', 'curly', 'dreads02']),
    hairTone, skinTone, beard, onlyVariants(glasses, 'accessories', ['prescription02', 'sunglasses']), glassesTone, mouth, eyes, brows, outfit, outfitTone, face,
  ],
  female: [
    onlyVariants(hair, 'top', ['dreads01', 'shaggy', 'shortFlat', 'straight01', 'straightAndStrand', 'bob', 'miaWallace', 'fro', 'curly', 'froBand']),
    hairTone, skinTone, onlyVariants(glasses, 'accessories', ['round', 'wayfarers']), glassesTone, mouth, eyes, brows, outfit, outfitTone, face,
  ],
  /** The old API: no gender; expression and pose belong to the template. */
  legacy: [hair, hairTone, skinTone, beard, glasses, glassesTone, brows, outfit, outfitTone, face],
} as const satisfies Record<string, readonly AvatarCategory[]>;

/** Parameter → trait over everything the library can be asked for. */
export const bitmojiTraitCategories: readonly AvatarCategory[] = [hair, hairTone, skinTone, beard, glasses, mouth];
