import type { Dataset } from '@caricature/tensors';
import { ModelError } from './models.error.js';
import type { Preset } from './presets.js';

/** The number of channels; throws ModelError when the images are not of the preset's size. */
export function checkShape(dataset: Dataset, { imageSize, name }: Preset): number {
  const [height, width, channels] = dataset.shape;
  if (height !== imageSize || width !== imageSize) {
    throw new ModelError(`${dataset.folder} holds images of ${height}×${width}, preset ${name} is for ${imageSize}×${imageSize}: prepare them at that size`);
  }
  if (dataset.count === 0) throw new ModelError(`${dataset.folder} holds no images`);
  return channels;
}

/** The number of channels of both data sets; throws ModelError when they differ or are not of the preset's size. */
export function checkSameChannels(source: Dataset, target: Dataset, preset: Preset): number {
  const channels = checkShape(target, preset);
  if (checkShape(source, preset) !== channels) throw new ModelError(`${source.folder} and ${target.folder} differ in their number of channels`);
  return channels;
}
