import { findNodeBackend, type OpAttribute, type TensorHandle } from '../backend/tensorflow.js';

export interface RecordedConstant extends TensorHandle {
  values: ArrayBufferView;
}

export interface RecordedKernel {
  name: string;
  attributes: OpAttribute[];
  /** Ids of tensors. */
  inputs: number[];
  outputs: TensorHandle[];
}

/** What a function had TensorFlow compute, in its order. */
export interface Recording {
  kernels: RecordedKernel[];
  constants: RecordedConstant[];
}

/**
 * Runs a function on the node backend and writes down the kernels that it calls and the values that it hands over from JavaScript.
 * @throws an error when it reads a value out: what is done with that could not be written down
 */
export function recordKernels<T>(f: () => T): { value: T; recording: Recording } {
  const backend = findNodeBackend()!;
  const { binding } = backend;
  const recording: Recording = { kernels: [], constants: [] };
  backend.binding = Object.create(binding, {
    executeOp: {
      value: (name: string, attributes: OpAttribute[], inputs: number[], count: number): TensorHandle[] => {
        const outputs = binding.executeOp(name, attributes, inputs, count);
        recording.kernels.push({ name, attributes, inputs, outputs });
        return outputs;
      },
    },
    createTensor: {
      value: (shape: number[], dtype: number, values: ArrayBufferView): number => {
        const id = binding.createTensor(shape, dtype, values);
        recording.constants.push({ id, shape, dtype, values });
        return id;
      },
    },
    tensorDataSync: {
      value: () => {
        throw new Error('a compiled step reads no values: what they decide must be given to it as a tensor');
      },
    },
  }) as typeof binding;
  try {
    return { value: f(), recording };
  } finally {
    backend.binding = binding;
  }
}
