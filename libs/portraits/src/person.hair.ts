import type { PersonIdentity } from './person.identity.js';
import { ellipse, n, path, shade, type Palette } from './person.paint.js';
import type { Shot } from './person.shot.js';
import type { DrawingStyle } from './person.style.js';
import { Random } from './random.js';

const [BALD, SHORT, LONG, CURLY] = [0, 1, 2, 3];

/** Hair behind the head: lengths beside the neck, or the cloud of curls. Coordinates about the face's centre. */
export function hairBehind(person: PersonIdentity, shot: Shot, palette: Palette): string {
  const { halfWidth: w, halfHeight: h } = person.face;
  const { hairVolume, temples } = shot.style;
  const fill = palette.round('hairBehind', person.hairColor, 0.45);
  if (person.traits.hair === LONG) return longBehind(person, shot, fill, w, h);
  if (person.traits.hair === CURLY && shot.style.curls === 'cloud') return ellipse(0, -h * 0.22, (w + 6) * hairVolume ** 1.4, (h + 1) * hairVolume ** 1.1, `fill="${fill}"`);
  if (person.traits.hair === CURLY) return curls(person, shot, palette, (w + 3.5) * hairVolume, (h + 3) * hairVolume, 22, 2.25);
  if (person.traits.hair === BALD && temples) return [-1, 1].map((side) => ellipse(side * w * 0.96, -h * 0.16, 3.4, 6, `fill="${fill}"`)).join('');
  return '';
}

/** Hair before the forehead. */
export function hairFront(person: PersonIdentity, shot: Shot, palette: Palette): string {
  const { halfWidth: w, halfHeight: h } = person.face;
  const shift = shot.yaw * 2;
  switch (person.traits.hair) {
    case BALD:
      return shot.flat ? '' : ellipse(shot.lightX * 7, -h * 0.72, 6, 3.4, `fill="${palette.spot('shine', '#fff', 0.5)}"`);
    case SHORT:
      return cap(person, shot, palette, w * (0.75 + 0.3 * shot.style.hairVolume), h * shot.style.hairVolume ** 0.6, -h * 0.42, -h * (0.6 - 0.22 * shot.style.fringe) + shift * 0.3);
    case LONG:
      return cap(person, shot, palette, w * 1.12, h * shot.style.hairVolume ** 0.4, h * 0.02, -h * (0.62 - 0.3 * shot.style.fringe));
    default:
      return curls(person, shot, palette, w * 0.95, h * 0.92 * shot.style.hairVolume ** 0.5, 13, 1.15);
  }
}

function longBehind(person: PersonIdentity, shot: Shot, fill: string, w: number, h: number): string {
  const low = h * 1.55 * shot.style.hairLength;
  const outer = w * 1.38 * shot.style.hairVolume ** 0.5;
  const shape = `M${n(-w)} ${n(-h * 0.6)} C${n(-w * 1.5)} ${n(-h * 1.45)} ${n(w * 1.5)} ${n(-h * 1.45)} ${n(w)} ${n(-h * 0.6)} C${n(outer)} ${n(0)} ${n(outer * 0.98)} ${n(h)} ${n(outer)} ${n(low)} L${n(-outer)} ${n(low)} C${n(-outer * 0.98)} ${n(h)} ${n(-outer)} 0 ${n(-w)} ${n(-h * 0.6)}Z`;
  return path(shape, `fill="${fill}"`) + (shot.flat ? '' : strands(person, 22, outer, -h * 0.6, low));
}

function strands(person: PersonIdentity, count: number, halfWidth: number, top: number, bottom: number): string {
  const random = new Random('strands', person.seed);
  let lines = '';
  for (let i = 0; i < count; i++) {
    const x = random.between(-halfWidth, halfWidth) * 0.95;
    const bend = random.between(-3, 3);
    const color = shade(person.hairColor, random.chance(0.5) ? random.between(0.6, 0.85) : random.between(1.12, 1.4));
    lines += path(`M${n(x * 0.75)} ${n(top)} Q${n(x + bend)} ${n((top + bottom) / 2)} ${n(x)} ${n(bottom)}`, `fill="none" stroke="${color}" stroke-width="0.6" opacity="0.7"`);
  }
  return lines;
}

/** Hair that follows the skull from temple to temple, with the forehead's line `hairline` and the sides down to `sides`. */
function cap(person: PersonIdentity, shot: Shot, palette: Palette, w: number, h: number, sides: number, hairline: number): string {
  const random = new Random('cap', person.seed);
  const part = random.between(-0.6, 0.6) * w;
  const top = -h * random.between(1.12, 1.24);
  const shape =
    `M${n(-w)} ${n(sides)} C${n(-w * 1.12)} ${n(top * 0.62)} ${n(-w * 0.68)} ${n(top)} 0 ${n(top)} C${n(w * 0.68)} ${n(top)} ${n(w * 1.12)} ${n(top * 0.62)} ${n(w)} ${n(sides)} ` +
    `C${n(w * 0.86)} ${n(hairline)} ${n(w * 0.6)} ${n(hairline * 1.02)} ${n(part)} ${n(hairline * 1.08)} C${n(-w * 0.6)} ${n(hairline)} ${n(-w * 0.86)} ${n(hairline)} ${n(-w)} ${n(sides)}Z`;
  const fill = palette.round('cap', person.hairColor, 0.38);
  if (shot.flat) return path(shape, `fill="${fill}"`) + edge(shot.style, fill, w, top);
  let lines = '';
  for (let i = 0; i < 18; i++) {
    const x = random.between(-0.95, 0.95) * w;
    const color = shade(person.hairColor, random.chance(0.5) ? random.between(0.6, 0.85) : random.between(1.12, 1.45));
    const y = hairline * 1.05 + Math.abs(x / w) * 3;
    lines += path(`M${n(part * 0.5 + x * 0.35)} ${n(top * 0.96)} Q${n(x * 0.9)} ${n(top * 0.82)} ${n(x)} ${n(y)}`, `fill="none" stroke="${color}" stroke-width="0.55" opacity="0.65"`);
  }
  return path(shape, `fill="${fill}"`) + lines;
}

/** What stands out along the top of a drawn head of hair. */
function edge({ hairEdge }: DrawingStyle, fill: string, w: number, top: number): string {
  if (hairEdge === 'smooth') return '';
  const tufts = Array.from({ length: 9 }, (_, i) => {
    const angle = Math.PI * (0.08 + (0.84 * i) / 8);
    const [x, y] = [-Math.cos(angle) * w, top * (0.45 + 0.42 * Math.sin(angle))];
    if (hairEdge === 'wavy') return ellipse(x, y, w * 0.22, w * 0.2, `fill="${fill}"`);
    return path(`M${n(x * 0.8 - 3)} ${n(y * 0.85)} L${n(x * 1.18)} ${n(y * 1.22)} L${n(x * 0.8 + 3)} ${n(y * 0.85)}Z`, `fill="${fill}"`);
  });
  return tufts.join('');
}

/** Round curls on an ellipse about the head, `spread` radians to both sides of its top; a cloud is filled behind the head. */
function curls(person: PersonIdentity, shot: Shot, palette: Palette, w: number, h: number, count: number, spread: number): string {
  const cloud = spread > Math.PI / 2;
  const random = new Random('curls', person.seed, count);
  const fill = palette.round(`curl${count}`, person.hairColor, 0.4);
  const edge = shot.flat ? '' : `stroke="${shade(person.hairColor, 0.62)}" stroke-width="0.5"`;
  let drawn = cloud ? ellipse(0, -h * 0.3, w * 1.02, h * 0.86, `fill="${shade(person.hairColor, shot.flat ? 1 : 0.72)}"`) : '';
  for (let i = 0; i < count; i++) {
    const angle = -Math.PI / 2 + (i / (count - 1) - 0.5) * 2 * spread;
    const radius = random.between(4.2, 6.4);
    drawn += ellipse(Math.cos(angle) * w * random.between(0.92, 1.12), Math.sin(angle) * h * random.between(0.88, 1.02), radius, radius * 0.95, `fill="${fill}" ${edge}`);
  }
  return drawn;
}
