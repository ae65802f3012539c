import type { LayerDescription, NetworkDescription } from './layers/description.js';
import type { Preset } from './presets.js';

type Layers = LayerDescription[];

/** f: halving convolutions, then a fully connected layer whose tanh is the feature vector. [H, W, C] → [featureSize]. */
export function describeExtractor({ imageSize, f }: Pick<Preset, 'imageSize' | 'f'>, channels: number): NetworkDescription {
  const layers: Layers = [];
  let size = imageSize;
  for (let level = 0; level < f.levels; level++) {
    layers.push(...normalized({ kind: 'conv', name: `conv${level}`, filters: f.width * 2 ** level, kernel: 3, stride: 2, bias: false }, 'relu'));
    size = Math.ceil(size / 2);
  }
  layers.push(flatten(size * size * f.width * 2 ** (f.levels - 1)));
  layers.push(...normalized({ kind: 'dense', name: 'features', units: f.featureSize, bias: false }, 'tanh'));
  return { name: 'f', inputShape: [imageSize, imageSize, channels], layers };
}

/** The layer between features and softmax that is trained with f: [featureSize] → logits [classes]. */
export function describeHead(featureSize: number, classes: number): NetworkDescription {
  return { name: 'head', inputShape: [featureSize], layers: [{ kind: 'dense', name: 'logits', units: classes, bias: true }] };
}

/**
 * g: features [featureSize] → image [H, W, C] in −1…1. Batch norm on all layers but the output. One that is to draw without `colour` draws
 * one channel and repeats it: else it hides in colour what f reads.
 */
export function describeGenerator(preset: Preset, channels: number, colour = true): NetworkDescription {
  const { imageSize, f, g } = preset;
  const start = imageSize / 2 ** g.doublings;
  let filters = g.width * 2 ** (g.doublings - 1);
  const layers: Layers = normalized({ kind: 'dense', name: 'project', units: start * start * filters, bias: false }, undefined);
  layers.push({ kind: 'reshape', name: 'unflatten', shape: [start, start, filters] }, { kind: 'activation', name: 'project_relu', activation: 'relu' });
  for (let level = 0; level < g.doublings - 1; level++) {
    filters /= 2;
    layers.push(...doubling(g, `up${level}`, filters));
    if (g.pointwise) layers.push(...normalized({ kind: 'conv', name: `widen${level}`, filters: filters * 2, kernel: 1, stride: 1, bias: false }, 'relu'));
    if (g.dropout > 0) layers.push({ kind: 'dropout', name: `dropout${level}`, rate: g.dropout });
  }
  layers.push(...(colour ? outputLayers(g, channels) : repeated(outputLayers(g, 1), preset, channels)));
  return { name: 'g', inputShape: [f.featureSize], layers };
}

/** D: image → three logits. Batch norm on all layers but the input's. */
export function describeDiscriminator({ imageSize, d }: Preset, channels: number): NetworkDescription {
  const layers: Layers = [
    { kind: 'conv', name: 'conv0', filters: d.width, kernel: d.kernel, stride: 2, bias: true },
    { kind: 'activation', name: 'conv0_leaky', activation: 'leakyRelu' },
  ];
  let size = Math.ceil(imageSize / 2);
  let filters = d.width;
  for (let level = 1; level < d.levels; level++) {
    if (d.pointwise) layers.push(...normalized({ kind: 'conv', name: `narrow${level}`, filters: filters / 2, kernel: 1, stride: 1, bias: false }, 'leakyRelu'));
    filters = d.width * 2 ** level;
    layers.push(...normalized({ kind: 'conv', name: `conv${level}`, filters, kernel: d.kernel, stride: 2, bias: false }, 'leakyRelu'));
    size = Math.ceil(size / 2);
  }
  layers.push(flatten(size * size * filters), { kind: 'dense', name: 'logits', units: 3, bias: true });
  return { name: 'D', inputShape: [imageSize, imageSize, channels], layers };
}

export function doubling(g: Pick<Preset['g'], 'upsampling' | 'kernel'>, name: string, filters: number): Layers {
  if (g.upsampling === 'deconv') return normalized({ kind: 'deconv', name, filters, kernel: g.kernel, stride: 2, bias: false }, 'relu');
  return [{ kind: 'upsample', name: `${name}_double` }, ...normalized({ kind: 'conv', name, filters, kernel: 3, stride: 1, bias: false }, 'relu')];
}

export function outputLayers(g: Pick<Preset['g'], 'width' | 'upsampling' | 'kernel'>, channels: number): Layers {
  const tanh: LayerDescription = { kind: 'activation', name: 'output_tanh', activation: 'tanh' };
  if (g.upsampling === 'deconv') return [{ kind: 'deconv', name: 'output', filters: channels, kernel: g.kernel, stride: 2, bias: true }, tanh];
  const refine = g.upsampling === 'refined' ? normalized({ kind: 'conv', name: 'refine', filters: g.width / 2, kernel: 3, stride: 1, bias: false }, 'relu') : [];
  return [{ kind: 'upsample', name: 'output_double' }, ...refine, { kind: 'conv', name: 'output', filters: channels, kernel: 3, stride: 1, bias: true }, tanh];
}

/** The one channel that the last layer gives, `channels` times. The first goes through a layer: tf.layers frees a value that one layer takes twice. */
function repeated(layers: Layers, { imageSize }: Preset, channels: number): Layers {
  const grey = layers.at(-1)!.name;
  const more = Array.from({ length: channels - 1 }, (_, i): LayerDescription => ({ kind: 'concat', name: `${grey}_${i + 2}`, with: grey }));
  return [...layers, { kind: 'reshape', name: `${grey}_1`, shape: [imageSize, imageSize, 1] }, ...more];
}

export function normalized(layer: LayerDescription, activation: 'relu' | 'leakyRelu' | 'tanh' | undefined): Layers {
  const layers: Layers = [layer, { kind: 'batchNorm', name: `${layer.name}_norm` }];
  return activation ? [...layers, { kind: 'activation', name: `${layer.name}_${activation}`, activation }] : layers;
}

function flatten(units: number): LayerDescription {
  return { kind: 'reshape', name: 'flatten', shape: [units] };
}
