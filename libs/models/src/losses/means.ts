import { withGradient } from '../backend/custom-gradient.js';
import type { Tensor } from '../backend/tensorflow.js';

// TensorFlow.js' own gradient of a mean multiplies by an array of ones, which it makes in JavaScript, and that of |x| takes seven passes over the values.

/** The mean of x². */
export const meanSquare = meanOf(
  (x) => x.square(),
  (x, share) => x.mul(share.mul(2)),
);

/** The mean of |x|; its gradient at 0 is 0. */
export const meanAbsolute = meanOf(
  (x) => x.abs(),
  (x, share) => x.sign().mul(share),
);

/** @param gradient of a value's part in the mean, by that part's share of what comes from above */
function meanOf(part: (x: Tensor) => Tensor, gradient: (x: Tensor, share: Tensor) => Tensor): (x: Tensor) => Tensor {
  return withGradient(
    (x) => ({ value: part(x).mean(), saved: [x] }),
    (dy, [x]) => gradient(x!, dy.div(x!.size)),
  );
}
