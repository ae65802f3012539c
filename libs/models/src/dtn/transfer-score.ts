import { type Dataset, Random } from '@caricature/tensors';
import { tf, type Tensor } from '../backend/tensorflow.js';
import { toTensor } from '../images.js';
import type { Network } from '../layers/network.js';
import { crossEntropy, constancyLoss, identityLoss } from '../losses/dtn.losses.js';

export interface TransferScoreOptions {
  source: Dataset;
  target: Dataset;
  seed: number;
  /** The networks as they are when the score is asked for. */
  networks: () => { f: Network; fOfTarget?: Network | undefined; g?: Network; head?: Network | undefined };
}

/** So many of each domain: enough for means and deviations that do not jump, and few enough to cost about a step. */
const SCORED_IMAGES = 128;

/**
 * How well G transfers, by what needs no label of the target domain, on images that are always the same: `const` and `tid` as in training, `distance`, the
 * mean over f's features of (μ₁ − μ₂)² + (σ₁ − σ₂)² between pictures and target images, and, where f's classifier is at hand, `reading`: the cross-entropy
 * of the names that it reads off the pictures with those that it reads off their photos.
 */
export function createTransferScore({ source, target, seed, networks }: TransferScoreOptions): () => Record<string, number> {
  const photos = new Random(seed, 21).permutation(source.count).slice(0, SCORED_IMAGES);
  const avatars = new Random(seed, 22).permutation(target.count).slice(0, SCORED_IMAGES);
  return () =>
    tf.tidy(() => {
      const { f, fOfTarget = f, g, head } = networks();
      const [x, y] = [toTensor(source.batch(photos).images, source.shape), toTensor(target.batch(avatars).images, target.shape)];
      const [photoFeatures, avatarFeatures] = [f.apply(x), fOfTarget.apply(y)];
      const pictureFeatures = fOfTarget.apply(g!.apply(photoFeatures));
      const terms: Record<string, Tensor> = {
        const: constancyLoss(photoFeatures, pictureFeatures),
        tid: identityLoss(y, g!.apply(avatarFeatures)),
        distance: momentDistance(pictureFeatures, avatarFeatures),
        ...(head && { reading: crossEntropy(head.apply(pictureFeatures), tf.softmax(head.apply(photoFeatures))) }),
      };
      return Object.fromEntries(Object.entries(terms).map(([name, term]) => [name, term.dataSync()[0]!]));
    });
}

function momentDistance(a: Tensor, b: Tensor): Tensor {
  const [first, second] = [tf.moments(a, 0), tf.moments(b, 0)];
  return tf.squaredDifference(first.mean, second.mean).add(tf.squaredDifference(first.variance.sqrt(), second.variance.sqrt())).mean();
}
