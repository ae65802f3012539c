import { findNodeBackend, floatType, runKernel, tf, type Tensor } from '../backend/tensorflow.js';
import { type Activation, LEAKY_SLOPE } from './description.js';

/** Applies an activation; on the node backend its gradient is one kernel in place of tfjs's three. */
export function activate(x: Tensor, activation: Activation): Tensor {
  return findNodeBackend() ? fused[activation](x) : plain(x, activation);
}

function plain(x: Tensor, activation: Activation): Tensor {
  if (activation === 'relu') return tf.relu(x);
  return activation === 'tanh' ? tf.tanh(x) : tf.leakyRelu(x, LEAKY_SLOPE);
}

function withGradient(activation: Activation, gradient: (dy: Tensor, saved: Tensor) => Tensor): (x: Tensor) => Tensor {
  return tf.customGrad((...args) => {
    const x = args[0] as Tensor;
    const save = args[1] as unknown as (tensors: Tensor[]) => void;
    const value = plain(x, activation);
    // relu and tanh have gradients in terms of their output.
    save([activation === 'leakyRelu' ? x : value]);
    return { value, gradFunc: (dy, saved) => gradient(dy as Tensor, (saved as Tensor[])[0]!) };
  });
}

const fused: Record<Activation, (x: Tensor) => Tensor> = {
  relu: withGradient('relu', (dy, y) => runKernel('ReluGrad', [dy, y], 1, (b) => [floatType(b)])[0]!),
  tanh: withGradient('tanh', (dy, y) => runKernel('TanhGrad', [y, dy], 1, (b) => [floatType(b)])[0]!),
  leakyRelu: withGradient('leakyRelu', (dy, x) => runKernel('LeakyReluGrad', [dy, x], 1, (b) => [floatType(b), { name: 'alpha', type: b.TF_ATTR_FLOAT!, value: LEAKY_SLOPE }])[0]!),
};
