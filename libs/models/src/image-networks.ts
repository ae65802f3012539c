import type { LayerDescription, NetworkDescription } from './layers/description.js';
import { doubling, normalized, outputLayers } from './networks.js';
import type { Preset } from './presets.js';

type Layers = LayerDescription[];
/** Filters do not double beyond this many times the first layer's. */
const WIDEST = 8;
/** Image size to which a patch discriminator with one halving (it sees 16 pixels) belongs: Pix2Pix's 70 of 256. */
const PATCH_BASE_SIZE = 32;

/**
 * Pix2Pix's U-Net: halving convolutions, then doublings that each see the encoder's picture of their size too. [H, W, C] → [H, W, C] in −1…1.
 * Batch norm on all layers but the first and the output; dropout in the two innermost doublings.
 */
export function describeUNet({ imageSize, image, g }: Preset, channels: number): NetworkDescription {
  const filters = (level: number) => image.width * Math.min(WIDEST, 2 ** level);
  const layers: Layers = [
    { kind: 'conv', name: 'down0', filters: filters(0), kernel: 4, stride: 2, bias: true },
    { kind: 'activation', name: 'down0_leakyRelu', activation: 'leakyRelu' },
  ];
  for (let level = 1; level < image.levels; level++) {
    layers.push(...normalized({ kind: 'conv', name: `down${level}`, filters: filters(level), kernel: 4, stride: 2, bias: false }, 'leakyRelu'));
  }
  for (let level = image.levels - 2; level >= 0; level--) {
    layers.push(...doubling(g, `up${level}`, filters(level)));
    if (image.dropout > 0 && level >= image.levels - 3) layers.push({ kind: 'dropout', name: `dropout${level}`, rate: image.dropout });
    layers.push({ kind: 'concat', name: `skip${level}`, with: `down${level}_leakyRelu` });
  }
  layers.push(...outputLayers(g, channels));
  return { name: 'G', inputShape: [imageSize, imageSize, channels], layers };
}

/**
 * CycleGAN's generator: two halvings, residual blocks, two doublings. [H, W, C] → [H, W, C] in −1…1. Batch norm in place of its instance norm, which
 * TensorFlow.js has no layer for.
 */
export function describeResidualGenerator(name: string, { imageSize, image, g }: Preset, channels: number): NetworkDescription {
  const layers: Layers = normalized({ kind: 'conv', name: 'start', filters: image.width, kernel: 7, stride: 1, bias: false }, 'relu');
  for (let level = 1; level <= 2; level++) layers.push(...normalized({ kind: 'conv', name: `down${level}`, filters: image.width * 2 ** level, kernel: 3, stride: 2, bias: false }, 'relu'));
  let before = 'down2_relu';
  for (let block = 0; block < image.blocks; block++) {
    layers.push(...residualBlock(`block${block}`, image.width * 4, before));
    before = `block${block}`;
  }
  layers.push(...doubling(g, 'up1', image.width * 2), ...doubling(g, 'up0', image.width));
  layers.push({ kind: 'conv', name: 'output', filters: channels, kernel: 7, stride: 1, bias: true }, { kind: 'activation', name: 'output_tanh', activation: 'tanh' });
  return { name, inputShape: [imageSize, imageSize, channels], layers };
}

/**
 * The patch discriminator: one logit for each overlapping patch. [H, W, channels] → [h, w, 1]. Its patches have about the share of the image that 70 × 70
 * has of Pix2Pix's 256 × 256: the number of halvings follows the image's size.
 */
export function describePatchDiscriminator(name: string, { imageSize, image }: Preset, channels: number): NetworkDescription {
  const halvings = Math.max(1, Math.round(Math.log2(imageSize / PATCH_BASE_SIZE)));
  const filters = (level: number) => image.patchWidth * Math.min(WIDEST, 2 ** level);
  const layers: Layers = [
    { kind: 'conv', name: 'conv0', filters: filters(0), kernel: 4, stride: 2, bias: true },
    { kind: 'activation', name: 'conv0_leakyRelu', activation: 'leakyRelu' },
  ];
  for (let level = 1; level <= halvings; level++) {
    const stride = level < halvings ? 2 : 1;
    layers.push(...normalized({ kind: 'conv', name: `conv${level}`, filters: filters(level), kernel: 4, stride, bias: false }, 'leakyRelu'));
  }
  layers.push({ kind: 'conv', name: 'patches', filters: 1, kernel: 4, stride: 1, bias: true });
  return { name, inputShape: [imageSize, imageSize, channels], layers };
}

function residualBlock(name: string, filters: number, before: string): Layers {
  return [
    ...normalized({ kind: 'conv', name: `${name}_a`, filters, kernel: 3, stride: 1, bias: false }, 'relu'),
    ...normalized({ kind: 'conv', name: `${name}_b`, filters, kernel: 3, stride: 1, bias: false }, undefined),
    { kind: 'add', name, with: before },
  ];
}
