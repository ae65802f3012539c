import { createRequire } from 'node:module';
import util from 'node:util';
import type * as TensorFlow from '@tensorflow/tfjs';
import { registerFilterGradient } from './filter-gradient.js';
import { BACKENDS, type BackendName } from './tensorflow.env.js';

export type Loaders = Record<BackendName, () => Promise<typeof TensorFlow>>;

const require = createRequire(import.meta.url);

/** Each loads TensorFlow.js with one back end and makes it the one that computes, or throws. */
export const LOADERS: Loaders = {
  native: async () => {
    // tfjs-node 4.22 calls two old functions: Node 23 removed the first, and warns about the second.
    const legacy = util as unknown as Record<string, unknown>;
    legacy.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
    legacy.isArray = Array.isArray;
    return select(require('@tensorflow/tfjs-node') as typeof TensorFlow, 'tensorflow');
  },
  wasm: async () => {
    const tf = require('@tensorflow/tfjs') as typeof TensorFlow;
    require('@tensorflow/tfjs-backend-wasm');
    registerFilterGradient(tf, 'wasm');
    return select(tf, 'wasm');
  },
  javascript: () => select(require('@tensorflow/tfjs') as typeof TensorFlow, 'cpu'),
};

/**
 * Loads the back end that `setting` names, or without one the first of BACKENDS that can be loaded.
 * @throws the loader's error where that one, or the last of them, cannot be loaded
 */
export async function loadTensorFlow(setting: BackendName | undefined, loaders: Loaders = LOADERS): Promise<typeof TensorFlow> {
  let problem: unknown;
  for (const name of setting ? [setting] : BACKENDS) {
    try {
      return await loaders[name]();
    } catch (error) {
      problem = error;
    }
  }
  throw new Error(`${setting ?? BACKENDS.at(-1)} cannot compute on this machine: npm run setup, or another CARICATURE_BACKEND (${BACKENDS.join(', ')})`, { cause: problem });
}

async function select(tf: typeof TensorFlow, name: 'tensorflow' | 'wasm' | 'cpu'): Promise<typeof TensorFlow> {
  if (!(await tf.setBackend(name))) throw new Error(`TensorFlow.js did not start its back end ${name}`);
  return tf;
}
