import { describe, expect, it } from 'vitest';
import { parametersOfTraits } from './avatar.catalog.js';
import { avatarSvg, type AvatarRequest } from './avatar.drawing.js';
import { drawMovedAvatars, placesOfTraits } from './avatar.moved.js';
import { PLACED_FEATURES, placesOfAvatar } from './avatar.places.js';
import { rasterize } from './raster.js';
import { TRAITS, type Traits } from './traits.js';

const PLAIN: Traits = { skin: 1, hairColor: 1, hair: TRAITS.hair.indexOf('bald'), glasses: 0, beard: 0, mouth: 0 };
const request = (parameters: Record<string, number> = {}): AvatarRequest => ({ library: 'bitmoji', gender: 'male', parameters: { ...parametersOfTraits(PLAIN), face: 2106, ...parameters } });

describe('the places of features', () => {
  it('are where the drawing changes when another mouth is drawn', () => {
    const size = 200;
    const [smile, serious] = [1750, 1756].map((mouth) => rasterize(avatarSvg(request({ mouth }), size, size), size).pixels) as [Buffer, Buffer];
    const changed = Array.from({ length: size * size }, (_, i) => i).filter((i) => smile.compare(serious, 4 * i, 4 * i + 3, 4 * i, 4 * i + 3) !== 0);
    const mean = (pick: (i: number) => number) => changed.reduce((sum, i) => sum + pick(i), 0) / changed.length / size;
    const { mouth } = placesOfAvatar(request());
    expect(Math.abs(mean((i) => i % size) - mouth[0])).toBeLessThan(0.02);
    expect(Math.abs(mean((i) => Math.floor(i / size)) - mouth[1])).toBeLessThan(0.03);
  });

  it('lie as in a face: eyes side by side, nose under them, mouth under the nose', () => {
    const { leftEye, rightEye, nose, mouth } = placesOfAvatar(request());
    expect(leftEye[0]).toBeLessThan(nose[0]);
    expect(rightEye[0]).toBeGreaterThan(nose[0]);
    expect(leftEye[0] + rightEye[0]).toBeCloseTo(1, 2);
    expect([leftEye[1] < nose[1], nose[1] < mouth[1]]).toEqual([true, true]);
  });

  it('follow the width of the face, the frame, the tilt of a template, and each feature its own move', () => {
    const plain = placesOfAvatar(request());
    const wide = placesOfAvatar(request({ face: 2112 }));
    expect(wide.rightEye[0] - 0.5).toBeCloseTo((plain.rightEye[0] - 0.5) * 1.1, 6);
    const moved = placesOfAvatar(request(), { moves: { mouth: [22.4, -11.2] } });
    expect([moved.mouth[0] - plain.mouth[0], moved.mouth[1] - plain.mouth[1]]).toEqual([expect.closeTo(0.1, 6), expect.closeTo(-0.05, 6)]);
    expect(moved.leftEye).toEqual(plain.leftEye);
    const larger = placesOfAvatar(request(), { frame: { x: 28, y: 14, size: 112 } });
    expect(larger.nose[1]).toBeCloseTo(plain.nose[1] * 2, 6);
    const { face, hair, hair_tone, skin_tone, beard, glasses, glasses_tone, brows, outfit, outfit_tone } = request().parameters;
    const tilted = placesOfAvatar({ template: 'tilt_right', parameters: { face: face!, hair: hair!, hair_tone: hair_tone!, skin_tone: skin_tone!, beard: beard!, glasses: glasses!, glasses_tone: glasses_tone!, brows: brows!, outfit: outfit!, outfit_tone: outfit_tone! } });
    expect(tilted.leftEye[1]).toBeLessThan(tilted.rightEye[1]);
    expect(tilted.nose[0]).toBeGreaterThan(0.52);
  });

  it('do not depend on what covers them', () => {
    expect(placesOfTraits({ ...PLAIN, glasses: 2, beard: 2, hair: 2 })).toEqual(placesOfTraits(PLAIN));
    expect(placesOfTraits({ ...PLAIN, mouth: 2 })).not.toEqual(placesOfTraits(PLAIN));
  });

  it('are not known for the other libraries', () => {
    expect(() => placesOfAvatar({ library: 'cm', gender: 'male', parameters: {} })).toThrow(/bitmoji alone/);
  });
});

describe('moved avatars', () => {
  const size = 48;

  it('are the same for a seed, and differ by it', () => {
    const [once, longer, other] = [drawMovedAvatars({ count: 2, size, seed: 1 }), drawMovedAvatars({ count: 3, size, seed: 1 }), drawMovedAvatars({ count: 2, size, seed: 2 })];
    expect(longer.pixels.subarray(0, once.pixels.length)).toEqual(once.pixels);
    expect(longer.places.subarray(0, once.places.length)).toEqual(once.places);
    expect(other.pixels).not.toEqual(once.pixels);
  });

  it('have every feature within the picture and far from the same place', () => {
    const count = 60;
    const { places } = drawMovedAvatars({ count, size: 8, seed: 3 });
    expect(Math.min(...places)).toBeGreaterThan(0);
    expect(Math.max(...places)).toBeLessThan(1);
    for (let k = 0; k < PLACED_FEATURES.length * 2; k++) {
      const values = Array.from({ length: count }, (_, i) => places[i * PLACED_FEATURES.length * 2 + k]!);
      const mean = values.reduce((a, b) => a + b, 0) / count;
      expect(Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / count)).toBeGreaterThan(0.05);
    }
  });
});
