import { BatchSampler, type Dataset } from '@caricature/tensors';
import { tf } from '../backend/tensorflow.js';
import { toTensor } from '../images.js';
import type { Network } from '../layers/network.js';

const BATCH = 128;
/** With a tenth of each batch blended in, 1.5 % of the old statistics are left. */
const BATCHES = 40;

/**
 * A copy of a network whose batch norm knows the means and variances of another domain's images: it then reads that domain better, though
 * not one label of it is known (Li, Wang, Shi, Liu, Hou: Revisiting Batch Normalization for Practical Domain Adaptation, 2016).
 */
export function adaptStatistics(network: Network, dataset: Dataset, seed: number): Network {
  const adapted = network.clone();
  const sampler = new BatchSampler(dataset.count, Math.min(BATCH, dataset.count), seed);
  for (let batch = 0; batch < BATCHES; batch++) {
    tf.tidy(() => void adapted.apply(toTensor(dataset.batch(sampler.next()).images, dataset.shape), { training: true }));
  }
  return adapted;
}
