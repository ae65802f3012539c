export type Activation = 'relu' | 'leakyRelu' | 'tanh';

/**
 * One layer. A network is a plain list of these, so one description gives the functional form that is trained, the
 * tf.layers model that is exported, and the shapes that a checkpoint is checked against.
 */
export type LayerDescription =
  | { kind: 'conv'; name: string; filters: number; kernel: number; stride: number; bias: boolean }
  | { kind: 'deconv'; name: string; filters: number; kernel: number; stride: number; bias: boolean }
  | { kind: 'dense'; name: string; units: number; bias: boolean }
  | { kind: 'batchNorm'; name: string }
  | { kind: 'activation'; name: string; activation: Activation }
  | { kind: 'dropout'; name: string; rate: number }
  | { kind: 'reshape'; name: string; shape: number[] }
  | { kind: 'upsample'; name: string }
  // Join the value with that of an earlier layer: channels side by side (a U-Net's skips), or summed (a residual block's).
  | { kind: 'concat' | 'add'; name: string; with: string };

export interface NetworkDescription {
  name: string;
  /** Shape of one input, without the batch: [H, W, C] or [features]. */
  inputShape: number[];
  layers: LayerDescription[];
}

export type Initialization = 'xavier' | 'normal';

/** Slope of leakyRelu below zero (DCGAN's). */
export const LEAKY_SLOPE = 0.2;
/** Added to the variance by batch norm. */
export const BATCH_NORM_EPSILON = 1e-5;

/** A layer with the shapes of one input and one output. */
export interface ShapedLayer {
  layer: LayerDescription;
  input: number[];
  output: number[];
}

/** Every layer of a network with its shapes, in their order. */
export function shapedLayers({ inputShape, layers }: NetworkDescription): ShapedLayer[] {
  const outputs = new Map<string, number[]>();
  let input = inputShape;
  return layers.map((layer) => {
    const output = outputShape(layer, input, 'with' in layer ? outputs.get(layer.with) : undefined);
    outputs.set(layer.name, output);
    const shaped = { layer, input, output };
    input = output;
    return shaped;
  });
}

/** The names of the layers whose values are joined again later. */
export function joinedLayers({ layers }: NetworkDescription): Set<string> {
  return new Set(layers.flatMap((layer) => ('with' in layer ? [layer.with] : [])));
}

/** The shape of one output of a layer, given that of one input (and of the value it is joined with). 'same' padding throughout. */
export function outputShape(layer: LayerDescription, input: number[], joined?: number[]): number[] {
  const [height = 1, width = 1] = input;
  switch (layer.kind) {
    case 'conv':
      return [Math.ceil(height / layer.stride), Math.ceil(width / layer.stride), layer.filters];
    case 'deconv':
      return [height * layer.stride, width * layer.stride, layer.filters];
    case 'upsample':
      return [height * 2, width * 2, input[2]!];
    case 'concat':
      return [...input.slice(0, -1), input.at(-1)! + joined!.at(-1)!];
    case 'dense':
      return [layer.units];
    case 'reshape':
      return layer.shape;
    default:
      return input;
  }
}

/** The parameters of a layer by their Keras names, with their shapes. */
export function parameterShapes(layer: LayerDescription, input: number[]): Record<string, number[]> {
  const channels = input.at(-1)!;
  switch (layer.kind) {
    case 'conv':
      return { kernel: [layer.kernel, layer.kernel, channels, layer.filters], ...(layer.bias && { bias: [layer.filters] }) };
    case 'deconv':
      return { kernel: [layer.kernel, layer.kernel, layer.filters, channels], ...(layer.bias && { bias: [layer.filters] }) };
    case 'dense':
      return { kernel: [channels, layer.units], ...(layer.bias && { bias: [layer.units] }) };
    case 'batchNorm':
      return { gamma: [channels], beta: [channels], moving_mean: [channels], moving_variance: [channels] };
    default:
      return {};
  }
}
