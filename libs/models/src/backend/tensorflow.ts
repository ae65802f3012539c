import type * as TensorFlow from '@tensorflow/tfjs';
import { loadTensorFlow } from './loading.js';
import { readBackendSetting } from './tensorflow.env.js';

export type Tensor = TensorFlow.Tensor;
export type Tensor1D = TensorFlow.Tensor1D;
export type Tensor2D = TensorFlow.Tensor2D;
export type Tensor4D = TensorFlow.Tensor4D;
export type Variable = TensorFlow.Variable;
export type LayersModel = TensorFlow.LayersModel;
export type SymbolicTensor = TensorFlow.SymbolicTensor;

export interface OpAttribute {
  name: string;
  type: number;
  value: unknown;
}

/** What tfjs-node's backend calls TensorFlow by: kernels, tensors, and the numbers of TensorFlow's types. */
export interface Binding extends Record<`TF_${string}`, number> {
  executeOp(kernel: string, attributes: OpAttribute[], inputs: number[], outputs: number): TensorHandle[];
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): number;
}

/** A tensor as TensorFlow knows it. */
export interface TensorHandle {
  /** Never given twice. */
  id: number;
  shape: number[];
  /** One of the binding's TF_FLOAT, TF_INT32, … */
  dtype: number;
}

/** The part of tfjs-node's backend that runs any TensorFlow kernel by its name, and graphs of them. */
interface NodeBackend {
  executeMultipleOutputs(kernel: string, attributes: OpAttribute[], inputs: Tensor[], outputs: number): Tensor[];
  /** Hands over values that are still in JavaScript. */
  getInputTensorIds(tensors: Tensor[]): number[];
  tensorMap: { get(dataId: object): TensorHandle };
  loadSavedModelMetaGraph(folder: string, tags: string): number;
  runSavedModel(session: number, inputs: Tensor[], names: { name: string }[], outputs: string[]): Tensor[];
  deleteSavedModel(session: number): void;
  binding: Binding;
  isUsingGpuDevice: boolean;
}

/**
 * TensorFlow.js on TensorFlow's own kernels; where their native binding was not set up, on WebAssembly or on plain JavaScript (slower, the same results to
 * rounding); or on what CARICATURE_BACKEND names. With a fixed seed the same machine computes the same bits with any of them: Eigen and oneDNN split their
 * sums by the number of threads, which does not change from run to run.
 */
export const tf: typeof TensorFlow = await loadTensorFlow(readBackendSetting());

/** The node backend, or undefined when WebAssembly or plain JavaScript computes. */
export function findNodeBackend(): NodeBackend | undefined {
  const backend = tf.backend() as unknown as Partial<NodeBackend>;
  return backend.executeMultipleOutputs ? (backend as NodeBackend) : undefined;
}

/** What computes: TensorFlow on a GPU or on the CPU, WebAssembly, or plain JavaScript. */
export function findDevice(): 'GPU' | 'CPU' | 'WebAssembly' | 'JavaScript' {
  const backend = findNodeBackend();
  if (!backend) return tf.getBackend() === 'wasm' ? 'WebAssembly' : 'JavaScript';
  return backend.isUsingGpuDevice ? 'GPU' : 'CPU';
}

/** Runs a TensorFlow kernel that tfjs has no name for. Only on the node backend. */
export function runKernel(kernel: string, inputs: Tensor[], outputs: number, attributes: (binding: Binding) => OpAttribute[]): Tensor[] {
  const backend = findNodeBackend()!;
  return backend.executeMultipleOutputs(kernel, attributes(backend.binding), inputs, outputs);
}

/** The attribute that most kernels need: `name` is float32. */
export function floatType(binding: Binding, name = 'T'): OpAttribute {
  return { name, type: binding.TF_ATTR_TYPE!, value: binding.TF_FLOAT };
}
