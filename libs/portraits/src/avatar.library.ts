import adventurer from '@dicebear/styles/adventurer.json' with { type: 'json' };
import avataaars from '@dicebear/styles/avataaars.json' with { type: 'json' };
import micah from '@dicebear/styles/micah.json' with { type: 'json' };
import { Style } from '@dicebear/core';
import { bitmojiCategories } from './avatar.bitmoji.js';
import { bitstripsCategories } from './avatar.bitstrips.js';
import { cmCategories } from './avatar.cm.js';
import type { AvatarCategory, StyleSettings } from './avatar.options.js';

export const AVATAR_LIBRARIES = ['bitmoji', 'bitstrips', 'cm'] as const;
export type AvatarLibrary = (typeof AVATAR_LIBRARIES)[number];

export const AVATAR_GENDERS = ['male', 'female'] as const;
export type AvatarGender = (typeof AVATAR_GENDERS)[number];

export interface LibraryStyle {
  readonly style: Style;
  /** Square of the style's canvas that is shown: head and shoulders. */
  readonly frame: { readonly x: number; readonly y: number; readonly size: number };
  /** What no parameter sets. */
  readonly settings: StyleSettings;
  readonly categories: Readonly<Record<AvatarGender, readonly AvatarCategory[]>>;
}

export const LIBRARY_STYLES: Readonly<Record<AvatarLibrary, LibraryStyle>> = {
  bitmoji: { style: new Style(avataaars) as Style, frame: { x: 28, y: 14, size: 224 }, settings: { facialHairProbability: 0 }, categories: bitmojiCategories },
  bitstrips: { style: new Style(adventurer) as Style, frame: { x: 0, y: 0, size: 762 }, settings: { detailsProbability: 0 }, categories: bitstripsCategories },
  cm: { style: new Style(micah) as Style, frame: { x: 0, y: 0, size: 360 }, settings: { facialHairProbability: 0, facialHairColor: ['#1b1411'] }, categories: cmCategories },
};

export interface AvatarLicence {
  readonly library: AvatarLibrary;
  readonly style: string;
  readonly licence: string;
  readonly licenceUrl: string;
  readonly creator: string;
  readonly sourceUrl: string;
  readonly attribution: string;
}

/** Licence and attribution of each style, as its definition states them: to be kept with whatever is drawn. */
export const AVATAR_LICENCES: Readonly<Record<AvatarLibrary, AvatarLicence>> = {
  bitmoji: licenceOf('bitmoji', avataaars.meta),
  bitstrips: licenceOf('bitstrips', adventurer.meta),
  cm: licenceOf('cm', micah.meta),
};

interface StyleMeta {
  license: { name: string; url: string; text: string };
  creator: { name: string };
  source: { name: string; url: string };
}

function licenceOf(library: AvatarLibrary, { license, creator, source }: StyleMeta): AvatarLicence {
  return {
    library, style: source.name, licence: license.name, licenceUrl: license.url, creator: creator.name, sourceUrl: source.url, attribution: license.text,
  };
}
