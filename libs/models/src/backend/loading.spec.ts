import type * as TensorFlow from '@tensorflow/tfjs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Loaders, LOADERS, loadTensorFlow } from './loading.js';
import { readBackendSetting } from './tensorflow.env.js';

const named = (name: string) => async () => name as unknown as typeof TensorFlow;
const broken = async () => Promise.reject(new Error('no such file'));
const all: Loaders = { native: named('native'), wasm: named('wasm'), javascript: named('javascript') };

describe('the back end', () => {
  test('is the fastest that can be loaded', async () => {
    expect(await loadTensorFlow(undefined, all)).toBe('native');
    expect(await loadTensorFlow(undefined, { ...all, native: broken })).toBe('wasm');
    expect(await loadTensorFlow(undefined, { ...all, native: broken, wasm: broken })).toBe('javascript');
  });

  test('is the one that was asked for, or none', async () => {
    expect(await loadTensorFlow('javascript', all)).toBe('javascript');
    const refused = loadTensorFlow('native', { ...all, native: broken });
    await expect(refused).rejects.toThrow(/native cannot compute on this machine: npm run setup/);
    await expect(refused).rejects.toMatchObject({ cause: { message: 'no such file' } });
  });

  test('is asked for by a name that there is', () => {
    expect([readBackendSetting(undefined), readBackendSetting(''), readBackendSetting('wasm')]).toEqual([undefined, undefined, 'wasm']);
    expect(() => readBackendSetting('webgl')).toThrow(/CARICATURE_BACKEND is "webgl": it must be one of native, wasm, javascript/);
  });
});

describe('CARICATURE_BACKEND', () => {
  afterEach(async () => {
    vi.unstubAllEnvs();
    vi.resetModules();
    await LOADERS.native();
  });

  test.each([['native', 'CPU'], ['wasm', 'WebAssembly'], ['javascript', 'JavaScript']])('%s makes %s compute', async (setting, device) => {
    vi.stubEnv('CARICATURE_BACKEND', setting);
    vi.resetModules();
    const { findDevice } = await import('./tensorflow.js');
    const found = findDevice();
    expect(found === 'GPU' ? 'CPU' : found).toBe(device);
    const { probeTraining } = await import('../probe.js');
    expect(probeTraining().device).toBe(found);
  });
});
