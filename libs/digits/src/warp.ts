import type { Random } from '@caricature/tensors';

/** Cells of the coarse grid that a picture is bent by, along each side. */
const CELLS = 4;

/**
 * Bends a picture smoothly, as strokes of a hand differ from print: the corners of a coarse grid are moved at random and the pixels
 * between follow.
 * @param image [size, size, 3]
 * @param reach how far a corner moves at most, in pixels along each axis
 */
export function warp(image: Float32Array, size: number, reach: number, random: Random): Float32Array {
  const corners = Array.from({ length: 2 * (CELLS + 1) ** 2 }, () => random.between(-reach, reach));
  const result = new Float32Array(image.length);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const [dx, dy] = displacement(corners, (x / size) * CELLS, (y / size) * CELLS);
      sample(image, size, x + dx, y + dy, result, (y * size + x) * 3);
    }
  }
  return result;
}

/** A picture of [from, from, 3] as one of [to, to, 3], by linear interpolation. */
export function enlarge(image: Float32Array, from: number, to: number): Float32Array {
  const result = new Float32Array(to * to * 3);
  const place = (i: number) => ((i + 0.5) * from) / to - 0.5;
  for (let y = 0; y < to; y++) for (let x = 0; x < to; x++) sample(image, from, place(x), place(y), result, (y * to + x) * 3);
  return result;
}

/** The movement at a place of the grid, between those of its cell's four corners. */
function displacement(corners: number[], gx: number, gy: number): [number, number] {
  const [column, row] = [Math.floor(gx), Math.floor(gy)];
  const [u, v] = [gx - column, gy - row];
  const at = (c: number, r: number, axis: number) => corners[2 * ((row + r) * (CELLS + 1) + column + c) + axis]!;
  const between = (axis: number) => (at(0, 0, axis) * (1 - u) + at(1, 0, axis) * u) * (1 - v) + (at(0, 1, axis) * (1 - u) + at(1, 1, axis) * u) * v;
  return [between(0), between(1)];
}

/** The colour between four pixels; the edge's are repeated. */
function sample(image: Float32Array, size: number, x: number, y: number, into: Float32Array, at: number): void {
  const [cx, cy] = [Math.min(size - 1, Math.max(0, x)), Math.min(size - 1, Math.max(0, y))];
  const [left, top] = [Math.min(size - 2, Math.floor(cx)), Math.min(size - 2, Math.floor(cy))];
  const [u, v] = [cx - left, cy - top];
  for (let c = 0; c < 3; c++) {
    const pixel = (dx: number, dy: number) => image[((top + dy) * size + left + dx) * 3 + c]!;
    into[at + c] = (pixel(0, 0) * (1 - u) + pixel(1, 0) * u) * (1 - v) + (pixel(0, 1) * (1 - u) + pixel(1, 1) * u) * v;
  }
}
