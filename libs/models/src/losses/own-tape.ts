import { tf, type Tensor } from '../backend/tensorflow.js';

/** What TensorFlow.js records operations in. */
type Tape = Pick<ReturnType<typeof tf.engine>['state'], 'activeTape' | 'gradientDepth'>;

/**
 * A term of a loss in x alone, on a tape of its own: its gradient by x is computed at once, so that whatever it needs on the way is freed before the rest of
 * the loss is computed. Of all that one loss keeps for its gradients this makes the largest part, not the sum.
 * @param term a scalar; it is not differentiated by anything but x
 */
export function onOwnTape(x: Tensor, term: (x: Tensor) => Tensor): Tensor {
  const operation = tf.customGrad((...args) => {
    const save = args[1] as unknown as (tensors: Tensor[]) => void;
    const { value, grad } = withOtherTape(() => tf.valueAndGrad(term)(args[0] as Tensor));
    save([grad]);
    return { value, gradFunc: (dy, [gradient]) => gradient!.mul(dy as Tensor) };
  });
  return operation(x);
}

/** Runs what takes gradients while operations are recorded for others. */
function withOtherTape<T>(run: () => T): T {
  const { state } = tf.engine();
  const { activeTape, gradientDepth, kernelDepth } = state;
  Object.assign(state, { activeTape: undefined, gradientDepth: 0, kernelDepth: 0 });
  try {
    return run();
  } finally {
    Object.assign(state, { activeTape, gradientDepth, kernelDepth } satisfies Tape & { kernelDepth: number });
  }
}
