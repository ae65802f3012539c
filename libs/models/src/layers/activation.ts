import { withGradient } from '../backend/custom-gradient.js';
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

/** All have gradients in terms of their output, which the next layer keeps anyway: LeakyReLU does not change a sign. */
const fused: Record<Activation, (x: Tensor) => Tensor> = {
  relu: withOutputGradient('relu', (dy, y) => runKernel('ReluGrad', [dy, y], 1, (b) => [floatType(b)])[0]!),
  tanh: withOutputGradient('tanh', (dy, y) => runKernel('TanhGrad', [y, dy], 1, (b) => [floatType(b)])[0]!),
  leakyRelu: withOutputGradient('leakyRelu', (dy, y) => runKernel('LeakyReluGrad', [dy, y], 1, (b) => [floatType(b), { name: 'alpha', type: b.TF_ATTR_FLOAT!, value: LEAKY_SLOPE }])[0]!),
};

function withOutputGradient(activation: Activation, gradient: (dy: Tensor, y: Tensor) => Tensor): (x: Tensor) => Tensor {
  return withGradient(
    (x) => {
      const value = plain(x, activation);
      return { value, saved: [value] };
    },
    (dy, [y]) => gradient(dy, y!),
  );
}
