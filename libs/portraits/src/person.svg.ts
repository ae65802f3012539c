import { beard, eyesAndNose, mouth, spectacles } from './person.features.js';
import { hairBehind, hairFront } from './person.hair.js';
import type { PersonIdentity } from './person.identity.js';
import { ellipse, n, Palette, path, shade } from './person.paint.js';
import type { Shot } from './person.shot.js';
import { Random } from './random.js';

/** One photo of a person before the camera's light, blur and noise, as SVG on a canvas of 100 × 100. */
export function personSvg(person: PersonIdentity, shot: Shot): string {
  const palette = new Palette(shot);
  const parts =
    background(shot, palette) +
    `<g transform="translate(${n(shot.x)} ${n(shot.y)}) scale(${n(shot.scale)})">` +
    `<g transform="rotate(${n(shot.rollDegrees)})">${hairBehind(person, shot, palette)}</g>` +
    body(person, shot, palette) +
    `<g transform="rotate(${n(shot.rollDegrees)})">${head(person, shot, palette)}</g></g>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" width="100" height="100">${palette}${parts}</svg>`;
}

function background(shot: Shot, palette: Palette): string {
  const [first = '#fff', second = first, ...others] = shot.background;
  const ground = `<rect width="100" height="100" fill="${palette.vertical('ground', first, second)}"/>`;
  if (shot.flat) return ground;
  const random = new Random('clutter', shot.seed);
  const spots = others.map((color, index) =>
    random.chance(0.6)
      ? ellipse(random.between(0, 100), random.between(0, 90), random.between(14, 38), random.between(10, 34), `fill="${palette.spot(`spot${index}`, color, 0.95)}"`)
      : `<rect x="${n(random.between(-10, 90))}" y="${n(random.between(-10, 70))}" width="${n(random.between(6, 34))}" height="${n(random.between(12, 60))}" fill="${color}" opacity="0.6"/>`,
  );
  return ground + spots.join('');
}

function body(person: PersonIdentity, shot: Shot, palette: Palette): string {
  const { halfWidth: w, halfHeight: h } = person.face;
  const neck = path(
    `M${n(-w * 0.5)} ${n(h * 0.5)} L${n(-w * 0.56)} ${n(h * 1.35)} Q0 ${n(h * 1.6)} ${n(w * 0.56)} ${n(h * 1.35)} L${n(w * 0.5)} ${n(h * 0.5)}Z`,
    `fill="${shot.flat ? shade(person.skinColor, 0.9) : palette.vertical('neck', shade(person.skinColor, 0.62), shade(person.skinColor, 0.9))}"`,
  );
  const shoulders = path(
    `M-48 70 C-44 ${n(h * 1.35)} ${n(-w * 0.9)} ${n(h * 1.3)} ${n(-w * 0.58)} ${n(h * 1.22)} Q0 ${n(h * 1.62)} ${n(w * 0.58)} ${n(h * 1.22)} C${n(w * 0.9)} ${n(h * 1.3)} 44 ${n(h * 1.35)} 48 70Z`,
    `fill="${shot.clothing}"`,
  );
  const collar = path(`M${n(-w * 0.62)} ${n(h * 1.2)} L0 ${n(h * 1.75)} L${n(w * 0.62)} ${n(h * 1.2)} L${n(w * 0.95)} ${n(h * 1.36)} L0 ${n(h * 2.1)} L${n(-w * 0.95)} ${n(h * 1.36)}Z`, 'fill="#f4f4f4"');
  return neck + shoulders + (shot.style.collar ? collar : '');
}

function head(person: PersonIdentity, shot: Shot, palette: Palette): string {
  const skin = palette.round('skin', person.skinColor);
  const { halfWidth: w } = person.face;
  const ears = [-1, 1].map((side) => ellipse(side * w * 0.98, 2, 3.2, 5, `fill="${shade(person.skinColor, shot.flat ? 0.95 : 0.85)}"`)).join('');
  return (
    ears +
    path(faceOutline(person), `fill="${skin}"`) +
    texture(person, shot, palette) +
    beard(person, shot, palette) +
    mouth(person, shot) +
    eyesAndNose(person, shot, palette) +
    hairFront(person, shot, palette) +
    spectacles(person, shot)
  );
}

function faceOutline({ face: { halfWidth: w, halfHeight: h, jaw, chin } }: PersonIdentity): string {
  return (
    `M0 ${n(-h)} C${n(w * 0.75)} ${n(-h)} ${n(w)} ${n(-h * 0.5)} ${n(w)} 0 C${n(w)} ${n(h * 0.45)} ${n(w * jaw)} ${n(h * 0.75)} ${n(w * chin)} ${n(h)} ` +
    `Q0 ${n(h * 1.06)} ${n(-w * chin)} ${n(h)} C${n(-w * jaw)} ${n(h * 0.75)} ${n(-w)} ${n(h * 0.45)} ${n(-w)} 0 C${n(-w)} ${n(-h * 0.5)} ${n(-w * 0.75)} ${n(-h)} 0 ${n(-h)}Z`
  );
}

/** Cheeks, eye sockets and freckles; nothing on a flat drawing. */
function texture(person: PersonIdentity, shot: Shot, palette: Palette): string {
  if (shot.flat) return '';
  const random = new Random('freckles', person.seed);
  const blush = palette.spot('blush', shade(person.lipColor, 1), 0.35);
  const socket = palette.spot('socket', shade(person.skinColor, 0.5), 0.45);
  const sides = [-1, 1].map(
    (side) =>
      ellipse(side * person.face.halfWidth * 0.58 + shot.yaw * 3, 8, 6, 5, `fill="${blush}"`) +
      ellipse(side * person.eyes.apart + shot.yaw * 4.2, person.eyes.y - 1.5 - shot.pitch * 2.6, 6.5, 5, `fill="${socket}"`),
  );
  const spots = Array.from({ length: person.freckles }, () =>
    ellipse(random.between(-13, 13) + shot.yaw * 3, random.between(3, 11), 0.5, 0.5, `fill="${shade(person.skinColor, 0.62)}" opacity="0.7"`),
  );
  return sides.join('') + spots.join('');
}
