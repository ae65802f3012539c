import { withGradient } from '../backend/custom-gradient.js';
import { type Gradients, gradients } from '../backend/gradients.js';
import type { Tensor } from '../backend/tensorflow.js';

/**
 * A term of a loss in x alone, on a tape of its own: its gradient by x is computed at once, so that whatever it needs on the way is freed before the rest of
 * the loss is computed. Of all that one loss keeps for its gradients this makes the largest part, not the sum.
 * @param term a scalar; it is not differentiated by anything but x
 */
export function onOwnTape(x: Tensor, term: (x: Tensor) => Tensor): Tensor {
  return termWithGradient(x, (input) => gradients(() => term(input), [input]));
}

/** A term of a loss whose gradient by x alone is computed along with it. */
export function termWithGradient(x: Tensor, term: (x: Tensor) => Gradients): Tensor {
  const operation = withGradient(
    (input) => {
      const { value, grads } = term(input);
      return { value, saved: grads as [Tensor] };
    },
    (dy, [gradient]) => gradient!.mul(dy),
  );
  return operation(x);
}
