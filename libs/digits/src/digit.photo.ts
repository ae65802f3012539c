import type { Random } from '@caricature/tensors';
import { Resvg } from '@resvg/resvg-js';
import { type Scene, SCENE_SIDE } from './digit.scene.js';
import { enlarge, warp } from './warp.js';

/**
 * Takes a picture of a scene: drawn, bent, blurred, with the sensor's noise.
 * @returns uint8 [size, size, 3]
 */
export function photographScene({ svg, grain, blur, bend, noise }: Scene, size: number, random: Random): Uint8Array {
  // No text is drawn, and looking up the machine's fonts costs 40 ms a picture.
  const { pixels } = new Resvg(svg, { font: { loadSystemFonts: false }, fitTo: { mode: 'width', value: grain ?? size } }).render();
  const taken = Float32Array.from({ length: (pixels.length / 4) * 3 }, (_, i) => pixels[Math.floor(i / 3) * 4 + (i % 3)]!);
  const image = grain ? enlarge(taken, grain, size) : taken;
  const bent = warp(image, size, (bend * size) / SCENE_SIDE, random);
  const weights = gaussianWeights((blur * size) / SCENE_SIDE);
  const blurred = blurAlong(blurAlong(bent, size, 3, weights), size, size * 3, weights);
  return new Uint8Array(Uint8ClampedArray.from(blurred, (value) => value + noise * random.normal()));
}

/** Half a Gaussian's weights, from its middle outwards; the whole sums to 1. */
function gaussianWeights(deviation: number): number[] {
  if (deviation === 0) return [1];
  const half = Array.from({ length: Math.ceil(2.5 * deviation) + 1 }, (_, distance) => Math.exp(-(distance ** 2) / (2 * deviation ** 2)));
  const sum = half.reduce((total, weight) => total + 2 * weight, -half[0]!);
  return half.map((weight) => weight / sum);
}

/** Blurs along the axis whose neighbours lie `stride` apart; the edge's pixels are repeated. */
function blurAlong(image: Float32Array, size: number, stride: number, weights: number[]): Float32Array {
  if (weights.length === 1) return image;
  const result = new Float32Array(image.length);
  for (let i = 0; i < image.length; i++) {
    const at = Math.floor(i / stride) % size;
    const first = i - at * stride;
    let sum = weights[0]! * image[i]!;
    for (let distance = 1; distance < weights.length; distance++) {
      const [before, after] = [Math.max(0, at - distance), Math.min(size - 1, at + distance)];
      sum += weights[distance]! * (image[first + before * stride]! + image[first + after * stride]!);
    }
    result[i] = sum;
  }
  return result;
}
