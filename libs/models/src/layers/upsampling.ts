import { findNodeBackend, tf, type Tensor4D } from '../backend/tensorflow.js';

/** Every pixel four times. @param x [B, H, W, C] @returns [B, 2H, 2W, C] */
export function upsample(x: Tensor4D): Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (findNodeBackend()) return tf.image.resizeNearestNeighbor(x, [height * 2, width * 2]);
  // TensorFlow.js' plain backend resizes rightly, but its gradient of it is wrong: pixels, then rows, are laid side by side with themselves.
  const wide = tf.concat([x, x], -1).reshape([batch, height, width * 2 * channels]);
  return tf.concat([wide, wide], -1).reshape([batch, height * 2, width * 2, channels]);
}
