import { tf } from '../backend/tensorflow.js';
import { loadNetwork } from '../export/layers-model.js';
import { toPixels, toTensor } from '../images.js';
import { foldBatchNorm, type Network } from '../layers/network.js';
import { ModelError } from '../models.error.js';

/** G = g∘f, ready to draw. */
export interface Caricaturist {
  /** [H, W, C] of the images that it takes and gives. */
  readonly shape: [number, number, number];
  /** uint8 [H, W, C] → uint8 [H, W, C]. Throws ModelError for an image of another size. */
  draw(image: Uint8Array): Uint8Array;
  /** Several images at once, one after another: uint8 [B, H, W, C] → the same. */
  drawBatch(images: Uint8Array): Uint8Array;
  dispose(): void;
}

/** Loads f and g from the folders that training exported. Throws ModelError when they do not fit together. */
export async function loadCaricaturist(fFolder: string, gFolder: string): Promise<Caricaturist> {
  const [f, g] = [await loadFrozen(fFolder), await loadFrozen(gFolder)];
  if (f.outputShape.join() !== g.description.inputShape.join()) {
    throw new ModelError(`g takes ${g.description.inputShape.join()} features, f gives ${f.outputShape.join()}: load both from one run`);
  }
  const shape = f.description.inputShape as [number, number, number];
  const bytes = shape.reduce((a, b) => a * b, 1);
  const drawBatch = (images: Uint8Array) => {
    if (images.length === 0 || images.length % bytes !== 0) throw new ModelError(`the model takes images of ${shape.join('×')} (${bytes} bytes), got ${images.length} bytes`);
    return tf.tidy(() => toPixels(g.apply(f.apply(toTensor(images, shape)))));
  };
  const draw = (image: Uint8Array) => {
    if (image.length !== bytes) throw new ModelError(`the model takes an image of ${shape.join('×')} (${bytes} bytes), got ${image.length} bytes`);
    return drawBatch(image);
  };
  return { shape, draw, drawBatch, dispose: () => [f, g].forEach((network) => network.dispose()) };
}

/** A network for inference only: batch norm folded into the weights. */
export async function loadFrozen(folder: string): Promise<Network> {
  const whole = await loadNetwork(folder);
  const frozen = foldBatchNorm(whole);
  whole.dispose();
  return frozen;
}
