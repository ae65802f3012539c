import { tf, type Tensor } from '../backend/tensorflow.js';
import { meanAbsolute, meanSquare } from './means.js';

/** −E log σ(D): cross-entropy of logits that should all say "real". Finite for any logit. */
export function realLoss(logits: Tensor): Tensor {
  return tf.softplus(logits.neg()).mean();
}

/** −E log (1 − σ(D)): cross-entropy of logits that should all say "drawn". */
export function fakeLoss(logits: Tensor): Tensor {
  return tf.softplus(logits).mean();
}

/** E (D − target)², the least-squares GAN's loss (Mao et al., 2017). */
export function leastSquaresLoss(scores: Tensor, target: 0 | 1): Tensor {
  return meanSquare(scores.sub(target));
}

/** E |a − b|₁ a value: Pix2Pix's L_L1, CycleGAN's L_cyc and its identity loss. */
export function absoluteError(a: Tensor, b: Tensor): Tensor {
  return meanAbsolute(a.sub(b));
}
