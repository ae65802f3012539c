import { type Binding, findNodeBackend, floatType, runKernel, tf, type Tensor, type Tensor1D, type Tensor4D, type Variable } from '../backend/tensorflow.js';
import { BATCH_NORM_EPSILON } from './description.js';

/** Share of a new batch in the running statistics. */
const MOVING_SHARE = 0.1;

export interface BatchNormParameters {
  gamma: Variable;
  beta: Variable;
  moving_mean: Variable;
  moving_variance: Variable;
}

/**
 * Batch norm over all axes but the last; in training by the batch's statistics, and the running ones follow.
 * @param x [B, H, W, C] or [B, C]
 * @param keepStatistics in training, the running statistics do not follow
 */
export function batchNorm(x: Tensor, parameters: BatchNormParameters, training: boolean, keepStatistics = false): Tensor {
  if (x.rank === 2) return tf.reshape(batchNorm(tf.reshape(x, [x.shape[0]!, 1, 1, x.shape[1]!]), parameters, training, keepStatistics), x.shape);
  const { gamma, beta, moving_mean, moving_variance } = parameters;
  if (!training) return tf.batchNorm(x as Tensor4D, moving_mean as Tensor1D, moving_variance as Tensor1D, beta as Tensor1D, gamma as Tensor1D, BATCH_NORM_EPSILON);
  return findNodeBackend() ? fusedBatchNorm(x, parameters, keepStatistics) : slowBatchNorm(x, parameters, keepStatistics);
}

/** TensorFlow's fused kernels, forward and backward: 20 times faster than the arithmetic that tfjs composes. */
export function fusedBatchNorm(x: Tensor, { gamma, beta, moving_mean, moving_variance }: BatchNormParameters, keepStatistics = false): Tensor {
  const operation = tf.customGrad((...args) => {
    const [input, scale, offset] = args as [Tensor, Tensor, Tensor];
    const save = args[3] as unknown as (tensors: Tensor[]) => void;
    const [y, mean, variance, savedMean, savedVariance, reserved] = runKernel('FusedBatchNormV3', [input, scale, offset, moving_mean, moving_variance], 6, (b) => attributes(b, true)) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
    // The kernel has already blended the batch's statistics into the running ones.
    if (!keepStatistics) {
      moving_mean.assign(mean);
      moving_variance.assign(variance);
    }
    save([input, scale, savedMean, savedVariance, reserved]);
    return {
      value: y,
      gradFunc: (dy, saved) => {
        const [x0, scale0, mean0, variance0, reserved0] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor];
        return runKernel('FusedBatchNormGradV3', [dy as Tensor, x0, scale0, mean0, variance0, reserved0], 5, (b) => attributes(b, false)).slice(0, 3);
      },
    };
  });
  return operation(x, gamma, beta);
}

/** The same by plain arithmetic, for the backend in JavaScript and as the fused kernels' reference. */
export function slowBatchNorm(x: Tensor, { gamma, beta, moving_mean, moving_variance }: BatchNormParameters, keepStatistics = false): Tensor {
  const axes = x.shape.slice(0, -1).map((_, i) => i);
  const { mean, variance } = tf.moments(x, axes);
  const count = x.size / x.shape.at(-1)!;
  if (!keepStatistics) {
    blend(moving_mean, mean);
    // The running variance is the unbiased one, as the fused kernel's.
    blend(moving_variance, variance.mul(count / Math.max(1, count - 1)));
  }
  return x.sub(mean).div(variance.add(BATCH_NORM_EPSILON).sqrt()).mul(gamma).add(beta);
}

function blend(variable: Variable, value: Tensor): void {
  variable.assign(tf.tidy(() => variable.mul(1 - MOVING_SHARE).add(value.mul(MOVING_SHARE))));
}

function attributes(binding: Binding, forward: boolean) {
  const shared = [
    floatType(binding),
    floatType(binding, 'U'),
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT!, value: BATCH_NORM_EPSILON },
    { name: 'data_format', type: binding.TF_ATTR_STRING!, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL!, value: true },
  ];
  return forward ? [...shared, { name: 'exponential_avg_factor', type: binding.TF_ATTR_FLOAT!, value: MOVING_SHARE }] : shared;
}
