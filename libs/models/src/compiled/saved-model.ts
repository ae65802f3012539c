import { findNodeBackend, type OpAttribute, type TensorHandle } from '../backend/tensorflow.js';
import type { RecordedConstant, RecordedKernel, Recording } from './kernel-recording.js';
import { bytes, float, integer, message } from './protobuf.js';

export interface StepGraph {
  /** A SavedModel's file. */
  model: Buffer;
  /** What the inputs and the outputs are called in it, in the order that they were asked for. */
  inputNames: string[];
  outputNames: string[];
}

/** The version of TensorFlow's graphs that this is written for: older ones mean other things by some kernels. */
const GRAPH_VERSION = 1882;
export const SERVING = 'serve';

/**
 * The graph of recorded kernels as TensorFlow loads it: `inputs` are given anew for each run, `outputs` (ids of tensors) are computed.
 * @throws an error when a kernel needs what is neither an input nor recorded
 */
export function buildStepGraph({ kernels, constants }: Recording, inputs: TensorHandle[], outputs: number[]): StepGraph {
  const graph = new GraphBuilder();
  const inputNames = inputs.map((tensor, i) => graph.add(`input${i}`, 'Placeholder', [], [type('dtype', tensor.dtype), shape('shape', tensor.shape)], [tensor]));
  for (const [i, tensor] of constants.entries()) graph.add(`constant${i}`, 'Const', [], [type('dtype', tensor.dtype), value(tensor)], [tensor]);
  for (const [i, kernel] of kernels.entries()) graph.addKernel(`${kernel.name}${i}`, kernel);
  // Named for themselves, as a tensor may be an input, too.
  const dtypes = new Map([...inputs, ...constants, ...kernels.flatMap((kernel) => kernel.outputs)].map(({ id, dtype }) => [id, dtype]));
  const outputNames = outputs.map((id, i) => graph.add(`output${i}`, 'Identity', [graph.nameOf(id)], [type('T', dtypes.get(id)!)], []));
  return { model: graph.savedModel(), inputNames: inputNames.map((name) => `${name}:0`), outputNames: outputNames.map((name) => `${name}:0`) };
}

/** A variable since its last assignment, and the kernels that its next use must follow. */
interface AssignedVariable {
  name: string;
  lastUse: string;
}

class GraphBuilder {
  private readonly nodes: Buffer[] = [];
  private readonly tensors = new Map<number, string>();
  /** By the ids of their handles. */
  private readonly variables = new Map<number, AssignedVariable>();

  /** @returns the node's name */
  add(name: string, op: string, inputs: string[], attributes: Buffer[], outputs: TensorHandle[]): string {
    this.nodes.push(message(1, bytes(1, name), bytes(2, op), ...inputs.map((input) => bytes(3, input)), ...attributes));
    outputs.forEach(({ id }, i) => this.tensors.set(id, i === 0 ? name : `${name}:${i}`));
    return name;
  }

  /** A kernel that uses variables follows their earlier uses. An assignment begins a variable of its own: what uses the one before may run beside it. */
  addKernel(name: string, { name: op, attributes, inputs, outputs }: RecordedKernel): void {
    if (op === 'AssignVariableOp') this.beginVariable(inputs[0]!, `variable-of-${name}`, attributes);
    const used = inputs.flatMap((id) => this.variables.get(id) ?? []);
    const sources = [...inputs.map((id) => this.nameOf(id)), ...new Set(used.map(({ lastUse }) => `^${lastUse}`))];
    this.add(name, op, sources, attributes.map(attributeOf), outputs);
    for (const variable of used) variable.lastUse = name;
  }

  nameOf(id: number): string {
    const name = this.variables.get(id)?.name ?? this.tensors.get(id);
    if (name === undefined) throw new Error('a compiled step uses a tensor that it neither computes nor is given: make it one of its inputs');
    return name;
  }

  savedModel(): Buffer {
    const graph = message(2, ...this.nodes, message(4, integer(1, GRAPH_VERSION)));
    const info = message(1, bytes(4, SERVING));
    return Buffer.concat([integer(1, 1), message(2, info, graph)]);
  }

  private beginVariable(handle: number, name: string, attributes: OpAttribute[]): void {
    const dtype = attributes.find((attribute) => attribute.name === 'dtype')!;
    this.add(name, 'VarHandleOp', [], [attributeOf(dtype), attribute('shared_name', bytes(2, name)), attribute('shape', message(7, integer(3, true)))], []);
    this.variables.set(handle, { name, lastUse: name });
  }
}

function attributeOf({ name, type: kind, value: given }: OpAttribute): Buffer {
  const { TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE } = findNodeBackend()!.binding;
  switch (kind) {
    case TF_ATTR_STRING:
      return attribute(name, bytes(2, given as string));
    case TF_ATTR_INT:
      return attribute(name, Array.isArray(given) ? message(1, ...given.map((one: number) => integer(3, one))) : integer(3, given as number));
    case TF_ATTR_FLOAT:
      return attribute(name, float(4, given as number));
    case TF_ATTR_BOOL:
      return attribute(name, integer(5, given as boolean));
    case TF_ATTR_TYPE:
      return type(name, given as number);
    case TF_ATTR_SHAPE:
      return shape(name, given as number[]);
    default:
      throw new Error(`an attribute ${name} of kind ${kind} cannot be a part of a compiled step`);
  }
}

function type(name: string, dtype: number): Buffer {
  return attribute(name, integer(6, dtype));
}

function shape(name: string, sizes: number[]): Buffer {
  return attribute(name, message(7, ...dimensions(sizes)));
}

/** A constant's value. */
function value({ dtype, shape: sizes, values }: RecordedConstant): Buffer {
  const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return attribute('value', message(8, integer(1, dtype), message(2, ...dimensions(sizes)), bytes(4, content)));
}

function attribute(name: string, content: Buffer): Buffer {
  return message(5, bytes(1, name), message(2, content));
}

function dimensions(sizes: number[]): Buffer[] {
  return sizes.map((size) => message(2, integer(1, size)));
}
