// The fastest that this machine convolves: what a step's own convolutions are measured against. bench/models/torch_peer.py measures the same shapes.

/** [batch, height and width, channels in, channels out], all 3 × 3 with stride 1: large enough to keep every core busy. */
export const PEAK_SHAPES = [[16, 64, 64, 64], [16, 32, 128, 128], [32, 16, 256, 256]];
const ROUNDS = 8;

/** Floating-point operations a second of the fastest round of the fastest shape. @param {typeof import('@tensorflow/tfjs')} tf */
export function measurePeak(tf) {
  let best = 0;
  for (const [batch, size, channels, filters] of PEAK_SHAPES) {
    const [x, kernel] = [tf.randomUniform([batch, size, size, channels]), tf.randomUniform([3, 3, channels, filters])];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      tf.tidy(() => tf.conv2d(x, kernel, 1, 'same'));
      const seconds = (performance.now() - start) / 1000;
      best = Math.max(best, (2 * batch * size * size * 9 * channels * filters) / seconds);
    }
    x.dispose();
    kernel.dispose();
  }
  return best;
}
