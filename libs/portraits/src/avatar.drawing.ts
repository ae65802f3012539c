import { Avatar } from '@dicebear/core';
import { bitmojiCategories } from './avatar.bitmoji.js';
import { LIBRARY_STYLES, type AvatarGender, type AvatarLibrary, type LibraryStyle } from './avatar.library.js';
import type { AvatarCategory, AvatarOption, StyleSettings } from './avatar.options.js';
import { AVATAR_TEMPLATES } from './avatar.template.js';
import { PortraitsError } from './portraits.error.js';
import { rasterizeToPng } from './raster.js';

/** Values of the API's parameters by their keys; numbers, or the digits that a query carries. */
export type AvatarParameters = Readonly<Record<string, number | string>>;

/** An avatar of the current API (library and gender) or of the old one (template). */
export type AvatarRequest =
  | { readonly library: AvatarLibrary; readonly gender: AvatarGender; readonly parameters: AvatarParameters }
  | { readonly template: string; readonly parameters: AvatarParameters };

export const LEGACY_LIBRARY: AvatarLibrary = 'bitmoji';

export function libraryOf(request: AvatarRequest): AvatarLibrary {
  return 'template' in request ? LEGACY_LIBRARY : request.library;
}

/** The categories that a request has to give, each exactly once. */
export function categoriesOf(request: AvatarRequest): readonly AvatarCategory[] {
  return 'template' in request ? bitmojiCategories.legacy : LIBRARY_STYLES[request.library].categories[request.gender];
}

/**
 * The avatar as a PNG, `width` × `height` pixels (the square avatar is centred on white where they differ).
 * Throws PortraitsError (UNKNOWN_TEMPLATE, MISSING_PARAMETER, UNKNOWN_PARAMETER, UNKNOWN_OPTION) naming what is wrong.
 */
export function drawAvatar(request: AvatarRequest, width = 152, height = width): Buffer {
  return rasterizeToPng(avatarSvg(request, width, height), width);
}

/** Checks a request without drawing it: the chosen options in the order of the categories. Errors as drawAvatar. */
export function chooseOptions(request: AvatarRequest): AvatarOption[] {
  const categories = categoriesOf(request);
  if ('template' in request && !Object.hasOwn(AVATAR_TEMPLATES, request.template)) {
    throw new PortraitsError('UNKNOWN_TEMPLATE', `no such template: ${request.template}`);
  }
  for (const key of Object.keys(request.parameters)) {
    if (!categories.some((category) => category.key === key)) throw new PortraitsError('UNKNOWN_PARAMETER', `unknown parameter: ${key}`);
  }
  return categories.map((category) => chooseOption(category, request.parameters));
}

function chooseOption(category: AvatarCategory, parameters: AvatarParameters): AvatarOption {
  const given = Object.hasOwn(parameters, category.key) ? parameters[category.key] : undefined;
  if (given === undefined) throw new PortraitsError('MISSING_PARAMETER', `missing parameter: ${category.key}`);
  const option = findOption(category, given);
  if (!option) throw new PortraitsError('UNKNOWN_OPTION', `no such option: ${category.key}=${given}`);
  return option;
}

export function findOption(category: AvatarCategory, value: number | string): AvatarOption | undefined {
  return category.options.find((option) => String(option.value) === String(value));
}

/** How a drawing differs from the one that was asked for: to measure the drawing itself. */
export interface Variation {
  /** Laid over what the options set, in the style's vocabulary. */
  readonly settings?: StyleSettings;
  /** By how much components are moved, by their names in the style, in units of its canvas. */
  readonly moves?: Readonly<Record<string, readonly [x: number, y: number]>>;
  /** Square of the canvas that is shown. */
  readonly frame?: LibraryStyle['frame'];
}

/** The avatar as an SVG. Errors as drawAvatar. */
export function avatarSvg(request: AvatarRequest, width: number, height: number, variation: Variation = {}): string {
  const { style, frame, settings } = LIBRARY_STYLES[libraryOf(request)];
  const options = chooseOptions(request);
  const template = 'template' in request ? AVATAR_TEMPLATES[request.template]! : undefined;
  const chosen: StyleSettings = {
    ...settings,
    ...(template ? { mouthVariant: template.mouth, eyesVariant: template.eyes } : {}),
    ...Object.assign({}, ...options.map((option) => option.settings)),
    ...variation.settings,
  };
  // A fixed seed: whatever is left open must not depend on chance.
  const svg = new Avatar(style, { seed: 'caricature', ...chosen }).toString();
  const widthFactor = options.find((option) => option.widthFactor)?.widthFactor ?? 1;
  return reframe(moveComponents(svg, variation.moves ?? {}), variation.frame ?? frame, { width, height }, widthFactor, template?.tiltDegrees ?? 0);
}

/** A style places each component by one `<use transform="translate(x y)" href="#component-variant-…">`. */
function moveComponents(svg: string, moves: NonNullable<Variation['moves']>): string {
  return svg.replace(/<use transform="translate\(([-\d.]+)(?:[ ,]+([-\d.]+))?\)" href="#(\w+)-/g, (whole, x: string, y: string | undefined, component: string) => {
    const [dx, dy] = moves[component] ?? [0, 0];
    return dx === 0 && dy === 0 ? whole : `<use transform="translate(${Number(x) + dx} ${Number(y ?? 0) + dy})" href="#${component}-`;
  });
}

/** Cuts the frame out of a style's canvas, on white, with the face stretched and tilted about the frame's bottom centre. */
function reframe(svg: string, frame: { x: number; y: number; size: number }, { width, height }: { width: number; height: number }, widthFactor: number, tilt: number): string {
  const inner = svg.slice(svg.indexOf('>') + 1, svg.lastIndexOf('</svg>')).replace(/<metadata[\s\S]*?<\/metadata>/, '');
  const [cx, bottom] = [frame.x + frame.size / 2, frame.y + frame.size];
  const tall = (frame.size * Math.max(width, height)) / width; // shown width and height in canvas units
  const viewWidth = width >= height ? (frame.size * width) / height : frame.size;
  const viewHeight = width >= height ? frame.size : tall;
  const [x, y] = [cx - viewWidth / 2, frame.y + frame.size / 2 - viewHeight / 2];
  const transform = `translate(${cx} ${bottom}) rotate(${tilt}) scale(${widthFactor} 1) translate(${-cx} ${-bottom})`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${x} ${y} ${viewWidth} ${viewHeight}" width="${width}" height="${height}" fill="none">` +
    `<rect x="${x}" y="${y}" width="${viewWidth}" height="${viewHeight}" fill="#fff"/><g transform="${transform}">${inner}</g></svg>`
  );
}
