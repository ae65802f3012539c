import type { PersonIdentity } from './person.identity.js';
import { ellipse, n, path, shade, type Palette } from './person.paint.js';
import type { Shot } from './person.shot.js';
import { Random } from './random.js';

/** Eyes, brows and nose. Coordinates about the face's centre; turning the head moves the features over it. */
export function eyesAndNose(person: PersonIdentity, shot: Shot, palette: Palette): string {
  const { x, y } = featureShift(shot);
  const eyes = [-1, 1].map((side) => eye(person, shot, side, x, y + person.eyes.y)).join('');
  return eyes + nose(person, shot, palette, x * 1.25, y + person.eyes.y);
}

/** How far the middle of the face has moved by turning. */
export function featureShift(shot: Shot): { x: number; y: number } {
  return { x: shot.yaw * 4.2, y: -shot.pitch * 2.6 };
}

function eye(person: PersonIdentity, shot: Shot, side: number, shift: number, y: number): string {
  const { style } = shot;
  const { slant } = person.eyes;
  const apart = person.eyes.apart * style.eyesApart;
  const size = person.eyes.size * style.eyeSize;
  const x = shift + side * apart * (1 - 0.12 * side * shot.yaw);
  const brow = y - person.brows.height - (person.traits.glasses ? 1 : 0);
  const browColor = person.traits.hairColor === 4 ? shade(person.hairColor, 0.75) : shade(person.hairColor, 0.85);
  return (
    `<g transform="rotate(${n(side * slant)} ${n(x)} ${n(y)})">${eyeball(person, shot, size, x, y)}</g>` +
    `<g transform="rotate(${n(side * (person.brows.slant + style.browTilt))} ${n(x)} ${n(brow)})">` +
    path(`M${n(x - size * 1.25)} ${n(brow + 0.8)} Q${n(x)} ${n(brow - 1.8)} ${n(x + size * 1.25)} ${n(brow + 0.8)}`, `fill="none" stroke="${browColor}" stroke-width="${n(person.brows.weight * style.browWeight)}" stroke-linecap="round"`) +
    '</g>'
  );
}

function eyeball(person: PersonIdentity, shot: Shot, size: number, x: number, y: number): string {
  const tall = size * 0.62 * shot.lidFactor;
  const lid = shade(person.skinColor, 0.55);
  switch (shot.style.eyes) {
    case 'dots':
      return ellipse(x + shot.gaze * 0.5, y, size * 0.5, size * 0.55, 'fill="#1a1616"');
    case 'closed':
      return path(`M${n(x - size)} ${n(y)} Q${n(x)} ${n(y + tall * 1.6)} ${n(x + size)} ${n(y)}`, 'fill="none" stroke="#1a1616" stroke-width="1.2" stroke-linecap="round"');
    case 'staring':
      return ellipse(x, y, size, size, 'fill="#fff"') + ellipse(x + shot.gaze, y, size * 0.45, size * 0.45, 'fill="#1a1616"');
    case 'lidded':
      return (
        ellipse(x, y, size, tall, 'fill="#f6f2ee"') +
        ellipse(x + shot.gaze, y, size * 0.52, Math.min(tall, size * 0.52), `fill="${person.irisColor}"`) +
        ellipse(x + shot.gaze, y, size * 0.26, size * 0.26, 'fill="#0d0b0b"') +
        ellipse(x + shot.gaze + 0.6, y - 0.6, 0.5, 0.5, 'fill="#fff"') +
        path(`M${n(x - size * 1.1)} ${n(y)} Q${n(x)} ${n(y - tall * 2)} ${n(x + size * 1.1)} ${n(y)}`, `fill="none" stroke="${lid}" stroke-width="0.9"`)
      );
  }
}

function nose(person: PersonIdentity, shot: Shot, palette: Palette, x: number, y: number): string {
  const { length, width } = person.nose;
  const tip = y + length;
  const dark = shade(person.skinColor, 0.66);
  if (shot.style.nose === 'corner') return path(`M${n(x)} ${n(tip - 3)} L${n(x + width)} ${n(tip)} L${n(x)} ${n(tip + 0.6)}`, `fill="none" stroke="${dark}" stroke-width="1.1" stroke-linejoin="round"`);
  if (shot.style.nose === 'shadow') return ellipse(x, tip, width * 1.2, 1.6, `fill="${shade(person.skinColor, 0.8)}"`);
  const wings = path(`M${n(x - width)} ${n(tip)} Q${n(x - width * 0.5)} ${n(tip + 2.2)} ${n(x)} ${n(tip + 1)} Q${n(x + width * 0.5)} ${n(tip + 2.2)} ${n(x + width)} ${n(tip)}`, `fill="none" stroke="${dark}" stroke-width="1.1" stroke-linecap="round"`);
  if (shot.flat) return wings;
  const side = shot.lightX > 0 ? -1 : 1;
  const bridge = path(`M${n(x + side)} ${n(y)} Q${n(x + side * width * 0.5)} ${n(y + length * 0.5)} ${n(x + side * width)} ${n(tip)} L${n(x)} ${n(tip)} Z`, `fill="${dark}" opacity="0.4"`);
  return bridge + ellipse(x - side * 0.6, tip - 0.6, 1.8, 2.6, `fill="${palette.spot('noseLight', '#fff', 0.4)}"`) + wings;
}

/** The person's habitual mouth: smile, serious or open. */
export function mouth(person: PersonIdentity, shot: Shot): string {
  const shift = featureShift(shot);
  const [x, y] = [shift.x * 1.1, person.mouth.y + shift.y];
  const { style } = shot;
  const w = person.mouth.width * style.mouthSize;
  const lip = shade(person.lipColor, 1);
  const from = `M${n(x - w)} ${n(y)}`;
  if (person.traits.mouth === 1) {
    if (shot.flat) return path(`${from} Q${n(x)} ${n(y - 3 * style.mouthBend)} ${n(x + w)} ${n(y)}`, `fill="none" stroke="${shade(person.lipColor, 0.5)}" stroke-width="1.8" stroke-linecap="round"`);
    return path(`${from} Q${n(x)} ${n(y + 0.3)} ${n(x + w)} ${n(y)}`, `fill="none" stroke="${shade(person.lipColor, 0.62)}" stroke-width="1.5" stroke-linecap="round"`) +
      path(`M${n(x - w * 0.55)} ${n(y + 1.5)} Q${n(x)} ${n(y + 2.6)} ${n(x + w * 0.55)} ${n(y + 1.5)}`, `fill="none" stroke="${lip}" stroke-width="1.2" stroke-linecap="round"`);
  }
  if (person.traits.mouth === 2) {
    const tall = 5 * shot.smileFactor * style.mouthSize;
    if (style.openMouth !== 'round') return openMouth(x, y, w, tall, style.openMouth === 'toothy');
    return ellipse(x, y + 1.5, w * 0.66, tall, `fill="#43100f" stroke="${lip}" stroke-width="1.3"`) + ellipse(x, y + 1.5 + tall * 0.5, w * 0.42, tall * 0.42, 'fill="#b5413f"');
  }
  const deep = 7.5 * shot.smileFactor * style.mouthSize;
  if (style.smile === 'line') return path(`${from} Q${n(x)} ${n(y + deep)} ${n(x + w)} ${n(y)}`, 'fill="none" stroke="#2a1414" stroke-width="1.6" stroke-linecap="round"');
  if (style.smile === 'laugh') {
    const lips = `${from} L${n(x + w)} ${n(y)} C${n(x + w)} ${n(y + deep * 1.2)} ${n(x - w)} ${n(y + deep * 1.2)} ${n(x - w)} ${n(y)}Z`;
    return path(lips, 'fill="#43100f"') + path(`${from} L${n(x + w)} ${n(y)} L${n(x + w * 0.85)} ${n(y + deep * 0.3)} L${n(x - w * 0.85)} ${n(y + deep * 0.3)}Z`, 'fill="#fff"');
  }
  return path(`${from} Q${n(x)} ${n(y + deep * 1.2)} ${n(x + w)} ${n(y)} Q${n(x)} ${n(y + deep * 0.22)} ${n(x - w)} ${n(y)}Z`, `fill="#fbf7f2" stroke="${lip}" stroke-width="1.3" stroke-linejoin="round"`);
}

/** A mouth whose corners hang below its middle, with or without the upper teeth. */
function openMouth(x: number, y: number, w: number, tall: number, teeth: boolean): string {
  const hole = `M${n(x - w * 0.9)} ${n(y + tall)} C${n(x - w * 0.8)} ${n(y - tall)} ${n(x + w * 0.8)} ${n(y - tall)} ${n(x + w * 0.9)} ${n(y + tall)} Q${n(x)} ${n(y + tall * 1.3)} ${n(x - w * 0.9)} ${n(y + tall)}Z`;
  return path(hole, 'fill="#43100f"') + (teeth ? ellipse(x, y, w * 0.5, tall * 0.28, 'fill="#fff"') : ellipse(x, y + tall * 0.85, w * 0.45, tall * 0.25, 'fill="#d9534f"'));
}

/** Moustache, or moustache and a beard along the jaw; the mouth is drawn over it. */
export function beard(person: PersonIdentity, shot: Shot, palette: Palette): string {
  if (person.traits.beard === 0) return '';
  const shift = featureShift(shot);
  const [x, y] = [shift.x * 1.1, person.mouth.y + shift.y];
  const { halfWidth: w, halfHeight: h } = person.face;
  const fill = palette.round('beard', person.hairColor, 0.35);
  const m = person.mouth.width * shot.style.moustacheWidth;
  const low = h * shot.style.beardLength;
  const thick = shot.style.moustacheWidth ** 0.7;
  const moustache = path(
    `M${n(x)} ${n(y - 4.2 * thick)} C${n(x - m * 0.7)} ${n(y - 5 * thick)} ${n(x - m * 1.2)} ${n(y - 2)} ${n(x - m * 1.35)} ${n(y + 0.8 * thick)} C${n(x - m * 0.6)} ${n(y - 0.4)} ${n(x + m * 0.6)} ${n(y - 0.4)} ${n(x + m * 1.35)} ${n(y + 0.8 * thick)} C${n(x + m * 1.2)} ${n(y - 2)} ${n(x + m * 0.7)} ${n(y - 5 * thick)} ${n(x)} ${n(y - 4.2 * thick)}Z`,
    `fill="${fill}"`,
  );
  if (person.traits.beard === 1) return moustache;
  const full = path(
    `M${n(-w * 1.0)} ${n(h * 0.02)} C${n(-w * 1.05)} ${n(low * 0.8)} ${n(-w * 0.6)} ${n(low * 1.12)} 0 ${n(low * 1.14)} C${n(w * 0.6)} ${n(low * 1.12)} ${n(w * 1.05)} ${n(low * 0.8)} ${n(w)} ${n(h * 0.02)} C${n(w * 0.8)} ${n(y - 2)} ${n(x + m * 1.1)} ${n(y - 5)} ${n(x)} ${n(y - 3.6)} C${n(x - m * 1.1)} ${n(y - 5)} ${n(-w * 0.8)} ${n(y - 2)} ${n(-w)} ${n(h * 0.02)}Z`,
    `fill="${fill}"`,
  );
  const bare = shot.style.bareLips > 0 ? ellipse(x, y + 1.2, m * 0.75 * shot.style.bareLips, 3.6 * shot.style.bareLips, `fill="${shade(person.skinColor, 1)}"`) : '';
  return full + moustache + bare + (shot.flat ? '' : bristles(person, y));
}

function bristles(person: PersonIdentity, y: number): string {
  const random = new Random('bristles', person.seed);
  const { halfWidth: w, halfHeight: h } = person.face;
  let lines = '';
  for (let i = 0; i < 26; i++) {
    const x = random.between(-0.85, 0.85) * w;
    const top = y + random.between(2, h * 0.3);
    const color = shade(person.hairColor, random.chance(0.5) ? 0.68 : 1.3);
    if (top < h * 1.05 - Math.abs(x) * 0.4) lines += path(`M${n(x)} ${n(top)} l${n(x * 0.06)} 2.6`, `stroke="${color}" stroke-width="0.5" opacity="0.7"`);
  }
  return lines;
}

export function spectacles(person: PersonIdentity, shot: Shot): string {
  if (person.traits.glasses === 0) return '';
  const dark = person.traits.glasses === 2;
  const shift = featureShift(shot);
  const y = shift.y + person.eyes.y + (dark ? 0.6 : 0.2);
  const round = person.frameStyle === 1 && !dark;
  const own = { color: ['#17171a', '#4a2a18', '#22314f'][person.frameStyle]!, weight: 1.5, lens: 0.78, roundness: round ? 0.8 : 0.4, dark: '#0e0e11' };
  const { color: frame, weight, lens: lensSize, roundness, dark: darkLens } = shot.style.frame ?? own;
  const apart = person.eyes.apart * shot.style.eyesApart;
  const r = apart * lensSize;
  const lens = (x: number): string => {
    const fill = dark ? `fill="${darkLens}"` : `fill="#e8f2ff" fill-opacity="${n(shot.style.lensTint)}"`;
    return `<rect x="${n(x - r)}" y="${n(y - r * 0.82)}" width="${n(2 * r)}" height="${n(r * 1.64)}" rx="${n(r * roundness)}" ${fill} stroke="${frame}" stroke-width="${n(weight)}"/>` +
      (dark && shot.style.lensShine ? path(`M${n(x - r * 0.5)} ${n(y - r * 0.5)} l${n(r * 0.5)} 0`, 'stroke="#fff" stroke-width="1" opacity="0.35"') : '');
  };
  const [left, right] = [-1, 1].map((side) => shift.x + side * apart * (1 - 0.12 * side * shot.yaw)) as [number, number];
  const w = person.face.halfWidth;
  const arms = path(`M${n(-w)} ${n(y - 2)} L${n(left - r)} ${n(y - 1)} M${n(right + r)} ${n(y - 1)} L${n(w)} ${n(y - 2)} M${n(left + r)} ${n(y - 1)} Q${n((left + right) / 2)} ${n(y - 2.4)} ${n(right - r)} ${n(y - 1)}`, `fill="none" stroke="${frame}" stroke-width="${n(weight)}"`);
  return arms + lens(left) + lens(right);
}
