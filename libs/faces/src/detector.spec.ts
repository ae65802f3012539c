import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { chooseFace } from './choice.js';
import { createFaceDetector } from './detector.js';
import type { FaceBox, FaceDetector } from './detector.js';
import { makeRealPhotos } from './testing/real-photos.js';
import type { RealPhotos } from './testing/real-photos.js';

let photos: RealPhotos;
let detector: FaceDetector;

beforeAll(async () => {
  photos = await makeRealPhotos();
  detector = await createFaceDetector();
}, 120_000);

describe('a face detector on real photos', { timeout: 120_000 }, () => {
  it.each(['astronaut', 'coins', 'cat', 'coffee', 'camera'])('finds the same boxes as OpenCV in Python: %s', async (name) => {
    const boxes = await detector.detect(await photos.read(name));
    expect(byPlace(boxes)).toEqual(byPlace(photos.facesByPython[name]!));
  });

  it('finds the one face of a portrait', async () => {
    expect(await detector.detect(await photos.read('astronaut'))).toHaveLength(1);
  });

  it('finds both faces when there are two, and the larger comes first', async () => {
    const small = await sharp(await photos.read('astronaut')).resize(300).toBuffer();
    const both = await sharp(await photos.read('twins')).composite([{ input: small, left: 0, top: 0 }]).png().toBuffer();
    const [first, second, ...others] = await detector.detect(both);
    expect(others).toEqual([]);
    expect(first!.left).toBeGreaterThan(512);
    expect(second!.left + second!.width).toBeLessThan(300);
  });

  it("gives boxes in the photo's own pixels when it searched a smaller copy", async () => {
    const [box] = await detector.detect(await photos.read('large'));
    const [expected] = photos.facesByPython['astronaut']!.map((face) => scale(face, 3));
    expect(overlap(box!, expected!)).toBeGreaterThan(0.8);
  });

  it('turns a photo upright by its EXIF orientation first', async () => {
    const lying = await sharp(await photos.read('astronaut')).rotate(-90).withMetadata({ orientation: 6 }).png().toBuffer();
    expect(await detector.detect(lying)).toEqual(await detector.detect(await photos.read('astronaut')));
  });

  it('leaves out faces smaller than asked', async () => {
    const choosy = await createFaceDetector({ minSizePx: 200 });
    expect(await choosy.detect(await photos.read('astronaut'))).toEqual([]);
  });

  it('leaves the process without handlers that would end it', () => {
    const listeners = [...process.listeners('unhandledRejection'), ...process.listeners('uncaughtException')];
    expect(listeners.map(String).filter((code) => /ExitStatus|abort/.test(code))).toEqual([]);
  });
});

describe('choosing a face', () => {
  const box: FaceBox = { left: 0, top: 0, width: 40, height: 40 };

  it('refuses a photo without one', () => {
    expect(() => chooseFace([], 'Largest')).toThrow(expect.objectContaining({ code: 'NoFace', retryable: false }));
  });

  it('refuses several when a single one is wanted, and else takes the largest', () => {
    const larger = { ...box, width: 60, height: 60 };
    expect(() => chooseFace([larger, box], 'Single')).toThrow(expect.objectContaining({ code: 'SeveralFaces' }));
    expect(chooseFace([larger, box], 'Largest')).toBe(larger);
    expect(chooseFace([box], 'Single')).toBe(box);
  });
});

function byPlace(boxes: FaceBox[]): FaceBox[] {
  return boxes.toSorted((a, b) => a.top - b.top || a.left - b.left);
}

function scale(box: FaceBox, factor: number): FaceBox {
  return { left: box.left * factor, top: box.top * factor, width: box.width * factor, height: box.height * factor };
}

/** Intersection over union. */
function overlap(a: FaceBox, b: FaceBox): number {
  const width = Math.min(a.left + a.width, b.left + b.width) - Math.max(a.left, b.left);
  const height = Math.min(a.top + a.height, b.top + b.height) - Math.max(a.top, b.top);
  const shared = Math.max(0, width) * Math.max(0, height);
  return shared / (a.width * a.height + b.width * b.height - shared);
}
