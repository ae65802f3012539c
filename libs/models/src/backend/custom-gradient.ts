import { tf, type Tensor } from './tensorflow.js';

/**
 * An operation on one tensor whose gradient is not TensorFlow.js' own.
 * @param forward gives the value, and what its gradient needs
 * @param backward gives the gradient by the operand from the gradient by the value
 */
export function withGradient(forward: (x: Tensor) => { value: Tensor; saved: Tensor[] }, backward: (dy: Tensor, saved: Tensor[]) => Tensor): (x: Tensor) => Tensor {
  return tf.customGrad((...args) => {
    const [x, save] = args as unknown as [Tensor, (tensors: Tensor[]) => void];
    const { value, saved } = forward(x);
    save(saved);
    return { value, gradFunc: (dy, kept) => backward(dy as Tensor, kept as Tensor[]) };
  });
}
