import type { Random } from '@caricature/tensors';
import type { Glyph } from './typeface.js';

type Point = readonly [number, number];
/** A stroke bends smoothly through its points; where a pen turns sharply, the next stroke begins. */
type Stroke = readonly Point[];

/** Font units to a digit's height, so that what is written and what is printed are placed alike. */
const HEIGHT = 1000;

/** How each digit is written, in several ways: strokes within a square of side 1, y downwards. */
const WAYS: readonly (readonly (readonly Stroke[])[])[] = [
  [[[[0.5, 0], [0.15, 0.2], [0, 0.5], [0.15, 0.8], [0.5, 1], [0.85, 0.8], [1, 0.5], [0.85, 0.2], [0.5, 0]]]],
  [
    [[[0.3, 0], [0.3, 1]]],
    [[[0, 0.25], [0.35, 0]], [[0.35, 0], [0.35, 1]]],
    [[[0, 0.5], [0.5, 0]], [[0.5, 0], [0.5, 1]]],
    [[[0, 0.6], [0.25, 0.4], [0.5, 0]], [[0.5, 0], [0.45, 1]]],
    [[[0.1, 0.2], [0.4, 0]], [[0.4, 0], [0.4, 1]], [[0.05, 1], [0.75, 1]]],
  ],
  [
    [[[0.05, 0.25], [0.25, 0.03], [0.6, 0], [0.9, 0.2], [0.85, 0.45], [0.5, 0.7], [0, 1]], [[0, 1], [1, 1]]],
    [[[0.15, 0.15], [0.4, 0], [0.65, 0.15], [0.6, 0.5], [0.2, 1]], [[0.1, 1], [1, 1]]],
    [[[0.05, 0.25], [0.4, 0], [0.85, 0.15], [0.8, 0.5], [0.4, 0.85], [0.1, 0.95], [0.1, 0.8], [0.35, 0.82], [0.7, 1], [1, 0.9]]],
  ],
  [
    [[[0.05, 0.15], [0.4, 0], [0.85, 0.15], [0.8, 0.38], [0.4, 0.48]], [[0.4, 0.48], [0.85, 0.6], [0.95, 0.8], [0.6, 1], [0.2, 0.97], [0, 0.82]]],
    [[[0, 0], [0.9, 0]], [[0.9, 0], [0.4, 0.4]], [[0.4, 0.4], [0.9, 0.55], [0.95, 0.8], [0.5, 1], [0, 0.88]]],
  ],
  [
    [[[0.3, 0], [0, 0.6]], [[0, 0.6], [1, 0.6]], [[0.7, 0.3], [0.7, 1]]],
    [[[0.7, 0], [0, 0.65]], [[0, 0.65], [1, 0.65]], [[0.7, 0], [0.7, 1]]],
    [[[0.05, 0], [0.05, 0.35], [0.25, 0.5], [0.6, 0.5], [0.9, 0.4]], [[0.9, 0], [0.85, 0.5], [0.8, 1]]],
  ],
  [
    [[[0.9, 0], [0.2, 0]], [[0.2, 0], [0.1, 0.45]], [[0.1, 0.45], [0.5, 0.35], [0.9, 0.55], [0.9, 0.8], [0.5, 1], [0.05, 0.92]]],
    [[[0.9, 0.05], [0.35, 0.05], [0.2, 0.35], [0.6, 0.45], [0.9, 0.7], [0.65, 0.97], [0.1, 0.95]]],
  ],
  [
    [[[0.75, 0], [0.3, 0.25], [0.05, 0.65], [0.2, 0.95], [0.6, 1], [0.9, 0.8], [0.75, 0.55], [0.35, 0.55], [0.1, 0.75]]],
    [[[0.6, 0], [0.2, 0.4], [0.05, 0.75], [0.35, 1], [0.8, 0.93], [0.9, 0.7], [0.55, 0.58], [0.15, 0.75]]],
  ],
  [
    [[[0, 0.03], [0.95, 0]], [[0.95, 0], [0.55, 0.5], [0.35, 1]]],
    [[[0, 0.2], [0.05, 0.03]], [[0.05, 0.03], [0.95, 0]], [[0.95, 0], [0.4, 1]]],
    [[[0.1, 0.05], [0.5, 0.08], [0.9, 0]], [[0.9, 0], [0.55, 0.5], [0.4, 1]], [[0.2, 0.52], [0.95, 0.47]]],
    [[[0, 0.15], [0.3, 0], [0.9, 0.02]], [[0.9, 0.02], [0.45, 0.5], [0.25, 1]], [[0.1, 0.5], [0.8, 0.55]]],
  ],
  [
    [[[0.5, 0.48], [0.15, 0.3], [0.2, 0.07], [0.5, 0], [0.82, 0.08], [0.85, 0.3], [0.5, 0.48], [0.1, 0.7], [0.1, 0.92], [0.5, 1], [0.9, 0.92], [0.9, 0.7], [0.5, 0.48]]],
    [[[0.55, 0.42], [0.3, 0.25], [0.35, 0.05], [0.6, 0], [0.8, 0.12], [0.75, 0.3], [0.45, 0.5], [0.1, 0.75], [0.25, 1], [0.6, 0.95], [0.7, 0.7], [0.55, 0.42]]],
    [[[0.85, 0.15], [0.5, 0], [0.15, 0.15], [0.3, 0.4], [0.7, 0.58], [0.9, 0.8], [0.55, 1], [0.1, 0.85], [0.3, 0.6], [0.7, 0.38], [0.85, 0.15]]],
  ],
  [
    [[[0.9, 0.2], [0.6, 0], [0.2, 0.05], [0.05, 0.28], [0.25, 0.5], [0.65, 0.48], [0.9, 0.2]], [[0.9, 0.2], [0.85, 0.6], [0.7, 1]]],
    [[[0.9, 0.2], [0.6, 0], [0.2, 0.05], [0.05, 0.28], [0.25, 0.5], [0.65, 0.48], [0.9, 0.2]], [[0.9, 0.2], [0.9, 0.65], [0.75, 0.95], [0.4, 1], [0.1, 0.9]]],
    [[[0.85, 0.1], [0.45, 0], [0.1, 0.2], [0.3, 0.45], [0.85, 0.35]], [[0.85, 0.05], [0.9, 0.6], [0.75, 0.95], [0.3, 1], [0, 0.85]]],
    [[[0.8, 0.05], [0.4, 0], [0.1, 0.2], [0.35, 0.42], [0.75, 0.4], [0.9, 0.65], [0.75, 0.95], [0.4, 1], [0.1, 0.95]], [[0.8, 0.05], [0.8, 0.45]]],
  ],
];

/** Writes a digit by hand, each time another way: its outline is the pen's path, to be stroked and not filled. */
export function writeDigit(digit: number, random: Random): Glyph {
  const ways = WAYS[digit]!;
  const waver = createWaver(random);
  const strokes = ways[random.below(ways.length)]!.map((stroke) => stroke.map(waver));
  const points = strokes.flat();
  const span = (axis: 0 | 1) => [Math.min(...points.map((p) => p[axis])), Math.max(...points.map((p) => p[axis]))] as const;
  const [[left, right], [top, bottom]] = [span(0), span(1)];
  return { outline: strokes.map(smoothPath).join(''), left, top, width: right - left, height: bottom - top };
}

/** A hand's deviation from the pattern: near points move alike, so strokes that meet still do. */
function createWaver(random: Random): (point: Point) => Point {
  const wave = () => ({ reach: random.between(0, 0.07), along: random.between(1, 5), across: random.between(1, 5), phase: random.between(0, 2 * Math.PI) });
  const [dx, dy] = [wave(), wave()];
  const at = ({ reach, along, across, phase }: ReturnType<typeof wave>, [x, y]: Point) => reach * Math.sin(along * x + across * y + phase);
  return (point) => [(0.7 * point[0] + at(dx, point)) * HEIGHT, (point[1] + at(dy, point)) * HEIGHT];
}

/** SVG path data of a Catmull-Rom curve through the points. */
function smoothPath(points: Stroke): string {
  const point = (i: number) => points[Math.min(points.length - 1, Math.max(0, i))]!;
  const control = (at: Point, before: Point, after: Point, sign: number) => `${fixed(at[0] + (sign * (after[0] - before[0])) / 6)} ${fixed(at[1] + (sign * (after[1] - before[1])) / 6)}`;
  const curves = points.slice(1).map((end, k) => `C${control(point(k), point(k - 1), end, 1)} ${control(end, point(k), point(k + 2), -1)} ${fixed(end[0])} ${fixed(end[1])}`);
  return `M${fixed(point(0)[0])} ${fixed(point(0)[1])}${curves.join('')}`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
