import { avatarSvg, chooseOptions, LEGACY_LIBRARY, libraryOf, type AvatarRequest, type Variation } from './avatar.drawing.js';
import { LIBRARY_STYLES } from './avatar.library.js';
import type { StyleSettings } from './avatar.options.js';
import { AVATAR_TEMPLATES } from './avatar.template.js';
import { PortraitsError } from './portraits.error.js';
import { rasterize } from './raster.js';

/** The features whose places are known, in the order of every array of places. Left and right are the picture's. */
export const PLACED_FEATURES = ['leftEye', 'rightEye', 'nose', 'mouth'] as const;

export type PlacedFeature = (typeof PLACED_FEATURES)[number];

/** Shares of the picture's width and height, from its upper left corner. */
export type Place = readonly [x: number, y: number];

export type FeaturePlaces = Readonly<Record<PlacedFeature, Place>>;

type Point = readonly [x: number, y: number];

const STYLE = LIBRARY_STYLES[LEGACY_LIBRARY];
/** Pixels that a drawing is measured at: two a unit of the canvas. */
const MEASURED_AT = 2 * STYLE.frame.size;
/** Nothing lies over the features: what hides one must not change its place. */
const UNCOVERED: StyleSettings = { topProbability: 0, facialHairProbability: 0, accessoriesProbability: 0 };

/**
 * Where the features of a square avatar of the bitmoji library are: the centre of what changes in the drawing when the feature alone is left away; each
 * half of the eyes for itself. `variation` is what the avatar is drawn with. Throws PortraitsError as drawAvatar, and UNKNOWN_STYLE for the other libraries.
 */
export function placesOfAvatar(request: AvatarRequest, { moves = {}, frame = STYLE.frame }: Pick<Variation, 'moves' | 'frame'> = {}): FeaturePlaces {
  if (libraryOf(request) !== LEGACY_LIBRARY) throw new PortraitsError('UNKNOWN_STYLE', `the places of features are known for ${LEGACY_LIBRARY} alone, not for ${libraryOf(request)}`);
  const options = chooseOptions(request);
  const template = 'template' in request ? AVATAR_TEMPLATES[request.template]! : undefined;
  const settings: StyleSettings = { ...(template ? { mouthVariant: template.mouth, eyesVariant: template.eyes } : {}), ...Object.assign({}, ...options.map((option) => option.settings)) };
  const widthFactor = options.find((option) => option.widthFactor)?.widthFactor ?? 1;
  const [leftEye, rightEye] = centresOf('eyes', settings) as [Point, Point];
  const place = (point: Point, component: string) => toPicture(add(point, moves[component] ?? [0, 0]), frame, widthFactor, template?.tiltDegrees ?? 0);
  return {
    leftEye: place(leftEye, 'eyes'),
    rightEye: place(rightEye, 'eyes'),
    nose: place(centresOf('nose', settings)[0]!, 'nose'),
    mouth: place(centresOf('mouth', settings)[0]!, 'mouth'),
  };
}

const measured = new Map<string, Point[]>();

/** Of each variant once: where it is on the canvas does not depend on anything else. */
function centresOf(component: 'eyes' | 'nose' | 'mouth', settings: StyleSettings): Point[] {
  const variant = settings[`${component}Variant`];
  const key = `${component} ${String(variant)}`;
  let centres = measured.get(key);
  if (!centres) {
    centres = measure(component, variant === undefined ? {} : { [`${component}Variant`]: variant });
    measured.set(key, centres);
  }
  return centres;
}

function measure(component: string, settings: StyleSettings): Point[] {
  const changes = changedBy(component, { ...UNCOVERED, ...settings });
  const whole = centre(changes);
  if (component !== 'eyes') return [whole];
  return [centre(changes.filter(({ x }) => x < whole[0])), centre(changes.filter(({ x }) => x >= whole[0]))];
}

interface Change {
  x: number;
  y: number;
  weight: number;
}

/** The points of the canvas that look different without the component, and how different. */
function changedBy(component: string, settings: StyleSettings): Change[] {
  const [shown, without] = [settings, { ...settings, [`${component}Probability`]: 0 }].map((chosen) => rasterize(avatarSvg(ANY, MEASURED_AT, MEASURED_AT, { settings: chosen }), MEASURED_AT).pixels) as [Buffer, Buffer];
  const changes: Change[] = [];
  for (let pixel = 0; pixel < MEASURED_AT ** 2; pixel++) {
    let weight = 0;
    for (let channel = 0; channel < 3; channel++) weight += Math.abs(shown[4 * pixel + channel]! - without[4 * pixel + channel]!);
    if (weight === 0) continue;
    const scale = STYLE.frame.size / MEASURED_AT;
    changes.push({ x: STYLE.frame.x + ((pixel % MEASURED_AT) + 0.5) * scale, y: STYLE.frame.y + (Math.floor(pixel / MEASURED_AT) + 0.5) * scale, weight });
  }
  return changes;
}

/** A complete request, upright and of middle width. */
const ANY: AvatarRequest = {
  library: LEGACY_LIBRARY,
  gender: 'male',
  parameters: Object.fromEntries(STYLE.categories.male.map(({ key, options }) => [key, (options.find(({ widthFactor }) => widthFactor === 1) ?? options[0]!).value])),
};

function centre(changes: Change[]): Point {
  const weight = changes.reduce((sum, change) => sum + change.weight, 0);
  return [changes.reduce((sum, { x, weight: w }) => sum + x * w, 0) / weight, changes.reduce((sum, { y, weight: w }) => sum + y * w, 0) / weight];
}

/** From the style's canvas to the picture, as the drawing is stretched, tilted and framed. */
function toPicture([x, y]: Point, frame: { x: number; y: number; size: number }, widthFactor: number, tiltDegrees: number): Place {
  const [cx, bottom] = [frame.x + frame.size / 2, frame.y + frame.size];
  const [dx, dy] = [(x - cx) * widthFactor, y - bottom];
  const angle = (tiltDegrees * Math.PI) / 180;
  const [turnedX, turnedY] = [cx + dx * Math.cos(angle) - dy * Math.sin(angle), bottom + dx * Math.sin(angle) + dy * Math.cos(angle)];
  return [(turnedX - frame.x) / frame.size, (turnedY - frame.y) / frame.size];
}

function add(a: Point, b: Point): Point {
  return [a[0] + b[0], a[1] + b[1]];
}
