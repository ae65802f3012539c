import { Random } from '@caricature/tensors';
import { tf, type Tensor, type Tensor1D, type Tensor2D, type Tensor4D, type Variable } from '../backend/tensorflow.js';
import { activate } from './activation.js';
import { BATCH_NORM_EPSILON, type Initialization, joinedLayers, type LayerDescription, type NetworkDescription, outputShape, parameterShapes, shapedLayers } from './description.js';
import { dropout, seedsOf } from './dropout.js';
import { CheckpointError } from '../models.error.js';
import { initialValues } from './initialization.js';
import { upsample } from './upsampling.js';
import { batchNorm, type BatchNormParameters } from './normalization.js';

export interface NamedTensor {
  shape: number[];
  values: Float32Array;
}

type PlainLayer = Exclude<LayerDescription, { with: string }>;

export interface ApplyMode {
  /** Batch statistics and dropout, as in training. */
  training: boolean;
  /** Names the dropout masks: the run's seed mixed with the step, a number or (int32) a scalar. */
  dropoutSeed?: number | Tensor;
  /** In training, leaves batch norm's running statistics as they are: for inputs that the network will not be used on. */
  keepStatistics?: boolean;
}

/** A network in functional form: a description and its named parameters (`layer/kernel`, as Keras names them). */
export class Network {
  constructor(
    readonly description: NetworkDescription,
    readonly parameters: Map<string, Variable>,
  ) {}

  /** Draws first weights; the same seed gives the same weights. */
  static create(description: NetworkDescription, initialization: Initialization, seed: number): Network {
    const random = new Random(seed);
    const parameters = new Map<string, Variable>();
    eachParameter(description, (name, shape, layer, parameter) => {
      const values = initialValues(parameter, shape, layer, initialization, random);
      parameters.set(name, tf.tidy(() => tf.variable(tf.tensor(values, shape), !parameter.startsWith('moving_'))));
    });
    return new Network(description, parameters);
  }

  /** What the optimizer changes: all but batch norm's running statistics. */
  get trainable(): Map<string, Variable> {
    return new Map([...this.parameters].filter(([, variable]) => variable.trainable));
  }

  get outputShape(): number[] {
    return shapedLayers(this.description).at(-1)?.output ?? this.description.inputShape;
  }

  /** @param x [B, ...inputShape] @returns [B, ...outputShape] */
  apply(x: Tensor, mode: ApplyMode = { training: false }): Tensor {
    const joined = joinedLayers(this.description);
    const kept = new Map<string, Tensor>();
    return this.description.layers.reduce((value, layer, i) => {
      const output = tf.tidy(() => ('with' in layer ? join(layer.kind, value, kept.get(layer.with)!) : this.applyLayer(layer, value, mode, i)));
      // Whatever a gradient needs has been saved for it: all else would be kept until the whole loss is computed.
      if (value !== x && value !== output && ![...kept.values()].includes(value)) value.dispose();
      if (joined.has(layer.name)) kept.set(layer.name, output);
      return output;
    }, x);
  }

  /** Reads all parameters out. */
  snapshot(): Map<string, NamedTensor> {
    return new Map([...this.parameters].map(([name, v]) => [name, { shape: v.shape, values: v.dataSync().slice() as Float32Array }]));
  }

  /** Overwrites all parameters. Throws CheckpointError when one is missing or of another shape. */
  restore(tensors: Map<string, NamedTensor>): void {
    assignTensors(this.parameters, tensors, this.description.name);
  }

  clone(): Network {
    const copies = [...this.parameters].map(([name, v]): [string, Variable] => [name, tf.variable(v, v.trainable)]);
    return new Network(this.description, new Map(copies));
  }

  /**
   * Moves all parameters towards another network's: the running average of a network in training.
   * @param shares [2]: of what they were, and of the other's
   */
  follow(other: Network, shares: Tensor1D): void {
    tf.tidy(() => {
      const [kept, taken] = tf.unstack(shares) as [Tensor, Tensor];
      for (const [name, average] of this.parameters) average.assign(average.mul(kept).add(other.parameters.get(name)!.mul(taken)));
    });
  }

  dispose(): void {
    for (const variable of this.parameters.values()) variable.dispose();
  }

  private parameter(layer: string, name: string): Variable {
    return this.parameters.get(`${layer}/${name}`)!;
  }

  private applyLayer(layer: PlainLayer, x: Tensor, { training, dropoutSeed = 0, keepStatistics = false }: ApplyMode, place: number): Tensor {
    switch (layer.kind) {
      case 'conv':
        return this.addBias(layer, tf.conv2d(x as Tensor4D, this.parameter(layer.name, 'kernel') as unknown as Tensor4D, layer.stride, 'same'));
      case 'deconv': {
        const shape = [x.shape[0]!, ...outputShape(layer, x.shape.slice(1))] as [number, number, number, number];
        return this.addBias(layer, tf.conv2dTranspose(x as Tensor4D, this.parameter(layer.name, 'kernel') as unknown as Tensor4D, shape, layer.stride, 'same'));
      }
      case 'dense':
        return this.addBias(layer, tf.matMul(x as Tensor2D, this.parameter(layer.name, 'kernel') as unknown as Tensor2D));
      case 'batchNorm':
        return batchNorm(x, this.batchNormParameters(layer.name), training, keepStatistics);
      case 'activation':
        return activate(x, layer.activation);
      case 'dropout':
        return training ? dropout(x, layer.rate, seedsOf(dropoutSeed, place)) : x;
      case 'reshape':
        return tf.reshape(x, [x.shape[0]!, ...layer.shape]);
      case 'upsample':
        return upsample(x as Tensor4D);
    }
  }

  private addBias(layer: { name: string; bias: boolean }, x: Tensor): Tensor {
    return layer.bias ? tf.add(x, this.parameter(layer.name, 'bias')) : x;
  }

  private batchNormParameters(layer: string): BatchNormParameters {
    const [gamma, beta, moving_mean, moving_variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => this.parameter(layer, name)) as [Variable, Variable, Variable, Variable];
    return { gamma, beta, moving_mean, moving_variance };
  }
}

/** The parameters that one optimizer changes in several networks, by `network/layer/parameter`. */
export function trainableOf(networks: Record<string, Network>): Map<string, Variable> {
  return new Map(Object.entries(networks).flatMap(([name, network]) => [...network.trainable].map(([key, variable]): [string, Variable] => [`${name}/${key}`, variable])));
}

/** Overwrites variables by the tensors of their names. Throws CheckpointError when one is missing or of another shape. */
export function assignTensors(variables: Map<string, { shape: number[]; assign(value: Tensor): void }>, tensors: Map<string, NamedTensor>, owner: string): void {
  for (const [name, variable] of variables) {
    const found = tensors.get(name);
    if (found?.shape.join() !== variable.shape.join()) {
      throw new CheckpointError(`${owner}'s ${name} is [${found?.shape.join() ?? 'missing'}] in the checkpoint, the network needs [${variable.shape.join()}]: resume with the configuration that it was made with, or remove it to start anew`);
    }
    tf.tidy(() => variable.assign(tf.tensor(found.values, found.shape)));
  }
}

function join(kind: 'concat' | 'add', value: Tensor, earlier: Tensor): Tensor {
  return kind === 'concat' ? tf.concat([value, earlier], -1) : tf.add(value, earlier);
}

/** Calls back for every parameter in the order of the layers. */
export function eachParameter(description: NetworkDescription, visit: (name: string, shape: number[], layer: LayerDescription, parameter: string) => void): void {
  for (const { layer, input } of shapedLayers(description)) {
    for (const [parameter, shape] of Object.entries(parameterShapes(layer, input))) visit(`${layer.name}/${parameter}`, shape, layer, parameter);
  }
}

/**
 * The same function with every batch norm that follows a convolution or dense layer folded into its weights: what a frozen network
 * needs no more, forward or backward.
 */
export function foldBatchNorm(network: Network): Network {
  const tensors = network.snapshot();
  const folded = new Map<string, NamedTensor>();
  const layers: LayerDescription[] = [];
  for (const layer of network.description.layers) {
    const before = layers.at(-1);
    if (layer.kind === 'batchNorm' && before && 'bias' in before) {
      layers[layers.length - 1] = { ...before, bias: true };
      foldInto(before, layer.name, tensors, folded);
    } else {
      layers.push(layer);
      for (const [name, tensor] of tensors) if (name.startsWith(`${layer.name}/`)) folded.set(name, tensor);
    }
  }
  const result = Network.create({ ...network.description, layers }, 'xavier', 0);
  result.restore(folded);
  return result;
}

function foldInto(layer: LayerDescription, norm: string, tensors: Map<string, NamedTensor>, folded: Map<string, NamedTensor>): void {
  const read = (name: string) => tensors.get(`${norm}/${name}`)!.values;
  const [gamma, beta, mean, variance] = [read('gamma'), read('beta'), read('moving_mean'), read('moving_variance')];
  const scale = gamma.map((g, c) => g / Math.sqrt(variance[c]! + BATCH_NORM_EPSILON));
  const kernel = folded.get(`${layer.name}/kernel`)!;
  const bias = folded.get(`${layer.name}/bias`)?.values;
  // A transposed convolution keeps its output channels in the last but one axis.
  const inner = layer.kind === 'deconv' ? kernel.shape.at(-1)! : 1;
  const values = kernel.values.map((v, i) => v * scale[Math.floor(i / inner) % scale.length]!);
  folded.set(`${layer.name}/kernel`, { shape: kernel.shape, values });
  folded.set(`${layer.name}/bias`, { shape: [scale.length], values: scale.map((s, c) => beta[c]! + ((bias?.[c] ?? 0) - mean[c]!) * s) });
}
