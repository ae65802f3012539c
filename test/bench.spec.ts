import { describe, expect, it } from 'vitest';
import { forwardFlops, stepFlops } from '../bench/models/flops.mjs';

const conv = { kind: 'conv', name: 'c', kernel: 3, stride: 2, filters: 8 };
const f = { inputShape: [8, 8, 3], layers: [conv, { kind: 'reshape', name: 'r', shape: [128] }, { kind: 'dense', name: 'd', units: 10 }] };
// 4 × 4 outputs, each of 8 channels from 3 × 3 × 3 inputs; then 128 × 10.
const CONV = 2 * 16 * 8 * 27;
const DENSE = 2 * 128 * 10;

describe('the operations that a step of the benchmark models needs', () => {
  it('are counted layer by layer', () => {
    expect(forwardFlops(f)).toEqual([CONV, DENSE]);
    const g = { inputShape: [4], layers: [{ kind: 'dense', name: 'p', units: 32 }, { kind: 'reshape', name: 'r', shape: [4, 4, 2] }, { kind: 'deconv', name: 'u', kernel: 4, stride: 2, filters: 3 }, { kind: 'upsample', name: 'v' }, { ...conv, stride: 1 }] };
    expect(forwardFlops(g)).toEqual([2 * 4 * 32, 2 * 16 * 16 * 2 * 3, 2 * 256 * 8 * 27]);
  });

  it('see what a layer is joined with', () => {
    const joined = { inputShape: [8, 8, 3], layers: [{ ...conv, stride: 1 }, { kind: 'concat', name: 'j', with: 'c' }, { ...conv, name: 'e', stride: 1 }] };
    expect(forwardFlops(joined)[1]).toBe(2 * 64 * 8 * 9 * 16);
  });

  it('are three times as many where a network learns, but for the gradient by its input, and two where it is looked through', () => {
    const head = { inputShape: [10], layers: [{ kind: 'dense', name: 'logits', units: 5 }] };
    expect(stepFlops({ network: 'classifier', batchSize: 7, f, head })).toBe(7 * (2 * CONV + 3 * DENSE + 3 * 2 * 10 * 5));
    const trained = 2 * CONV + 3 * DENSE;
    const through = 2 * (CONV + DENSE);
    expect(stepFlops({ network: 'dtn', batchSize: 7, f, g: f, D: f })).toBe(7 * (2 * trained + through + 3 * (through + trained - through / 2)));
  });
});
