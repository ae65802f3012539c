import { tf, type Tensor, type Tensor2D, type Tensor4D } from '../backend/tensorflow.js';
import { meanAbsolute, meanSquare } from './means.js';

/** What the ternary discriminator D tells apart, by the index of its logit. */
export const D_CLASSES = ['transferred', 'reconstructed', 'target'] as const;
const TARGET_CLASS = 2;

/**
 * L_D = −E_s log D1(g(f(x))) − E_t log D2(g(f(x))) − E_t log D3(x), with smoothed labels if asked.
 * @param logits one [B, 3] for each of the three classes, in their order
 * @param smoothing share of the target probability spread over the other two classes
 */
export function discriminatorLoss(logits: [Tensor, Tensor, Tensor], smoothing = 0): Tensor {
  const terms = logits.map((value, index) => negativeLogLikelihood(value, index, smoothing));
  return tf.addN(terms);
}

/** L_GANG = −E_s log D3(g(f(x))) − E_t log D3(g(f(x))): G wants both kinds of its pictures taken for real ones. */
export function generatorLoss(transferred: Tensor, reconstructed: Tensor): Tensor {
  return negativeLogLikelihood(transferred, TARGET_CLASS, 0).add(negativeLogLikelihood(reconstructed, TARGET_CLASS, 0));
}

/** L_CONST = Σ_s d(f(x), f(g(f(x)))) with the mean squared error as d. */
export function constancyLoss(features: Tensor, featuresOfOutput: Tensor): Tensor {
  return meanSquare(features.sub(featuresOfOutput));
}

/** L_TID = Σ_t d2(x, G(x)) with the mean squared error as d2. */
export function identityLoss(target: Tensor, output: Tensor): Tensor {
  return meanSquare(target.sub(output));
}

/** L_TV: mean absolute difference of neighbouring pixels. @param images [B, H, W, C] */
export function totalVariationLoss(images: Tensor4D): Tensor {
  const [batch, height, width, channels] = images.shape;
  const vertical = images.slice([0, 1, 0, 0], [batch, height - 1, width, channels]).sub(images.slice([0, 0, 0, 0], [batch, height - 1, width, channels]));
  const horizontal = images.slice([0, 0, 1, 0], [batch, height, width - 1, channels]).sub(images.slice([0, 0, 0, 0], [batch, height, width - 1, channels]));
  return meanAbsolute(vertical).add(meanAbsolute(horizontal));
}

/** Cross-entropy of integer labels. @param logits [B, K] @param oneHot [B, K] */
export function crossEntropy(logits: Tensor, oneHot: Tensor): Tensor {
  return tf.logSoftmax(logits as Tensor2D).mul(oneHot).sum(-1).mean().neg();
}

function negativeLogLikelihood(logits: Tensor, index: number, smoothing: number): Tensor {
  const classes = logits.shape.at(-1)!;
  const target = Array.from({ length: classes }, (_, c) => (c === index ? 1 - smoothing : smoothing / (classes - 1)));
  return tf.logSoftmax(logits as Tensor2D).mul(tf.tensor1d(target)).sum(-1).mean().neg();
}
