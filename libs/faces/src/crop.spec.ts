import { describe, expect, it } from 'vitest';
import { cropFace, cropMiddle } from './crop.js';
import { photoOfPixels } from './photo.js';
import type { Photo, Pixels } from './photo.js';

/** A photo whose red is the column and whose green is the row, so that a crop tells where it was cut. */
function aMap(width: number, height: number): Photo {
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data.set([x, y, 7], (y * width + x) * 3);
  }
  return photoOfPixels({ data, width, height });
}

function pixelAt(image: Pixels, x: number, y: number): number[] {
  return [...image.data.subarray((y * image.width + x) * 3, (y * image.width + x) * 3 + 3)];
}

describe('cutting a face out', () => {
  it('takes the box and the margin around it, in its own pixels when no resize is needed', async () => {
    const crop = await cropFace(aMap(100, 80), { left: 40, top: 30, width: 10, height: 10 }, 20, 0.5);
    expect([crop.width, crop.height, crop.data.length]).toEqual([20, 20, 1200]);
    expect(pixelAt(crop, 0, 0)).toEqual([35, 25, 7]);
    expect(pixelAt(crop, 19, 19)).toEqual([54, 44, 7]);
  });

  it('makes a square around a box that is none', async () => {
    const crop = await cropFace(aMap(100, 80), { left: 40, top: 30, width: 10, height: 20 }, 20, 0);
    expect(pixelAt(crop, 0, 0)).toEqual([35, 30, 7]);
  });

  it('repeats the border where the square leaves the photo', async () => {
    const crop = await cropFace(aMap(100, 80), { left: 0, top: 0, width: 10, height: 10 }, 20, 0.5);
    expect(pixelAt(crop, 0, 0)).toEqual([0, 0, 7]);
    expect(pixelAt(crop, 2, 19)).toEqual([0, 14, 7]);
    const farCorner = await cropFace(aMap(100, 80), { left: 90, top: 70, width: 10, height: 10 }, 20, 0.5);
    expect(pixelAt(farCorner, 19, 19)).toEqual([99, 79, 7]);
  });

  it('copes with a square larger than the photo', async () => {
    const crop = await cropFace(aMap(30, 20), { left: 5, top: 2, width: 18, height: 18 }, 64);
    expect([crop.width, crop.height]).toEqual([64, 64]);
    expect(pixelAt(crop, 0, 0)).toEqual([0, 0, 7]);
  });

  it('takes the middle square of a picture that is a face already', async () => {
    const crop = await cropMiddle(aMap(100, 80), 80);
    expect(pixelAt(crop, 0, 40)).toEqual([10, 40, 7]);
    expect(pixelAt(crop, 79, 40)).toEqual([89, 40, 7]);
  });
});
