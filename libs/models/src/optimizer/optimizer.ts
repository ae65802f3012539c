import { tf, type Tensor, type Variable } from '../backend/tensorflow.js';
import type { Stateful } from '../checkpoint/stateful.js';
import { assignTensors, type NamedTensor } from '../layers/network.js';

export type OptimizerName = 'Adam' | 'SGD' | 'Momentum';

export interface OptimizerOptions {
  name: OptimizerName;
  /** Decay of the mean gradient (Adam's β1, or the momentum). */
  beta1: number;
}

const BETA2 = 0.999;
const EPSILON = 1e-8;

/** Adam, SGD or momentum over named parameters; its slots are explicit, so that a checkpoint holds all of its state. */
export class Optimizer implements Stateful {
  private readonly slots = new Map<string, Variable>();
  private updates = 0;

  constructor(
    private readonly options: OptimizerOptions,
    private readonly parameters: Map<string, Variable>,
  ) {
    const kinds = options.name === 'Adam' ? ['mean', 'square'] : options.name === 'Momentum' ? ['mean'] : [];
    for (const [name, parameter] of parameters) {
      for (const kind of kinds) this.slots.set(`${name}/${kind}`, tf.tidy(() => tf.variable(tf.zeros(parameter.shape), false)));
    }
  }

  /**
   * Minimizes `loss` by one update.
   * @returns the loss's value, which the caller disposes
   */
  minimize(loss: () => Tensor, learningRate: number): Tensor {
    const { value, grads } = tf.variableGrads(loss as () => never, [...this.parameters.values()]);
    this.updates += 1;
    for (const [name, parameter] of this.parameters) {
      const gradient = grads[parameter.name]!;
      tf.tidy(() => parameter.assign(parameter.sub(this.change(name, gradient, learningRate))));
      gradient.dispose();
    }
    return value;
  }

  snapshot(): { tensors: Map<string, NamedTensor>; state: number } {
    const tensors = new Map([...this.slots].map(([name, slot]) => [name, { shape: slot.shape, values: slot.dataSync().slice() as Float32Array }]));
    return { tensors, state: this.updates };
  }

  restore(tensors: Map<string, NamedTensor>, updates: unknown): void {
    assignTensors(this.slots, tensors, 'the optimizer');
    this.updates = updates as number;
  }

  dispose(): void {
    for (const slot of this.slots.values()) slot.dispose();
  }

  private change(name: string, gradient: Tensor, learningRate: number): Tensor {
    const { name: kind, beta1 } = this.options;
    if (kind === 'SGD') return gradient.mul(learningRate);
    const mean = this.slots.get(`${name}/mean`)!;
    if (kind === 'Momentum') {
      mean.assign(mean.mul(beta1).add(gradient));
      return mean.mul(learningRate);
    }
    const square = this.slots.get(`${name}/square`)!;
    mean.assign(mean.mul(beta1).add(gradient.mul(1 - beta1)));
    square.assign(square.mul(BETA2).add(gradient.square().mul(1 - BETA2)));
    // Both bias corrections are scalars: one pass each is saved.
    const correction = Math.sqrt(1 - BETA2 ** this.updates);
    const rate = (learningRate * correction) / (1 - beta1 ** this.updates);
    return mean.mul(rate).div(square.sqrt().add(EPSILON * correction));
  }
}
