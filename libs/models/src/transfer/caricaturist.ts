import { tf, type Tensor } from '../backend/tensorflow.js';
import { loadNetwork } from '../export/layers-model.js';
import { toPixels, toTensor } from '../images.js';
import { foldBatchNorm, type Network } from '../layers/network.js';
import { ModelError } from '../models.error.js';

/** A chain of networks from photo to caricature, ready to draw. */
export interface Caricaturist {
  /** [H, W, C] of the images that it takes and gives. */
  readonly shape: [number, number, number];
  /** uint8 [H, W, C] → uint8 [H, W, C]. Throws ModelError for an image of another size. */
  draw(image: Uint8Array): Uint8Array;
  /** Several images at once, one after another: uint8 [B, H, W, C] → the same. */
  drawBatch(images: Uint8Array): Uint8Array;
  dispose(): void;
}

/**
 * Loads networks that are applied one after another, from the folders that training exported: f and g of a DTN, or the one generator of Pix2Pix
 * and CycleGAN. Throws ModelError when they do not fit together.
 */
export async function loadCaricaturist(...folders: string[]): Promise<Caricaturist> {
  const networks = await loadTransfer(...folders);
  const shape = networks[0]!.description.inputShape as [number, number, number];
  const bytes = shape.reduce((a, b) => a * b, 1);
  const drawBatch = (images: Uint8Array) => {
    if (images.length === 0 || images.length % bytes !== 0) throw new ModelError(`the model takes images of ${shape.join('×')} (${bytes} bytes), got ${images.length} bytes`);
    return tf.tidy(() => toPixels(applyTransfer(networks, toTensor(images, shape))));
  };
  const draw = (image: Uint8Array) => {
    if (image.length !== bytes) throw new ModelError(`the model takes an image of ${shape.join('×')} (${bytes} bytes), got ${image.length} bytes`);
    return drawBatch(image);
  };
  return { shape, draw, drawBatch, dispose: () => networks.forEach((network) => network.dispose()) };
}

/** The same chain as networks for inference. Throws ModelError when one's output is not the next one's input. */
export async function loadTransfer(...folders: string[]): Promise<Network[]> {
  const networks: Network[] = [];
  for (const folder of folders) {
    const network = await loadFrozen(folder);
    const before = networks.at(-1);
    networks.push(network);
    if (before && before.outputShape.join() !== network.description.inputShape.join()) {
      networks.forEach((loaded) => loaded.dispose());
      throw new ModelError(`${network.description.name} takes ${network.description.inputShape.join()} features, ${before.description.name} gives ${before.outputShape.join()}: load both from one run`);
    }
  }
  return networks;
}

/** @param images [B, H, W, C] in −1…1 @returns the same */
export function applyTransfer(networks: Network[], images: Tensor): Tensor {
  return networks.reduce((value, network) => network.apply(value), images);
}

/** A network for inference only: batch norm folded into the weights. */
export async function loadFrozen(folder: string): Promise<Network> {
  const whole = await loadNetwork(folder);
  const frozen = foldBatchNorm(whole);
  whole.dispose();
  return frozen;
}
