import { gradients } from '../backend/gradients.js';
import { ResourceVariable } from '../backend/resource-variable.js';
import { findNodeBackend, floatType, runKernel, tf, type Tensor, type Variable } from '../backend/tensorflow.js';
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

type Slot = Variable | ResourceVariable;

/**
 * Adam (Kingma, Ba, ICLR 2015), SGD or momentum over named parameters; its slots are explicit, so that a checkpoint holds all of its state. On TensorFlow's
 * own kernels Adam's update of a parameter is one of them, in place of a dozen.
 */
export class Optimizer implements Stateful {
  private readonly slots = new Map<string, Slot>();
  /** Where Adam's kernel changes the parameters. */
  private readonly changed = new Map<string, ResourceVariable>();
  private updates = 0;

  constructor(
    private readonly options: OptimizerOptions,
    private readonly parameters: Map<string, Variable>,
  ) {
    const kinds = options.name === 'Adam' ? ['mean', 'square'] : options.name === 'Momentum' ? ['mean'] : [];
    const inPlace = options.name === 'Adam' && findNodeBackend() !== undefined;
    for (const [name, { shape }] of parameters) {
      for (const kind of kinds) this.slots.set(`${name}/${kind}`, inPlace ? new ResourceVariable(shape) : tf.tidy(() => tf.variable(tf.zeros(shape), false)));
      if (inPlace) this.changed.set(name, new ResourceVariable(shape));
    }
  }

  /**
   * Minimizes `loss` by one update.
   * @returns the loss's value, which the caller disposes
   */
  minimize(loss: () => Tensor, learningRate: number): Tensor {
    const { value, grads } = gradients(loss, this.variables);
    this.update(grads, learningRate);
    return value;
  }

  /** What is updated, in the order of the gradients. */
  get variables(): Variable[] {
    return [...this.parameters.values()];
  }

  /** One update by gradients that were computed already, one for each of `variables`; they are freed. */
  update(gradients: (Tensor | undefined)[], learningRate: number): void {
    this.updates += 1;
    tf.tidy(() => {
      const scalars = this.changed.size > 0 ? this.adamScalars(learningRate) : [];
      for (const [i, [name, parameter]] of [...this.parameters].entries()) {
        const gradient = gradients[i]!;
        tf.tidy(() => parameter.assign(this.changed.has(name) ? this.applyAdam(name, parameter, gradient, scalars) : parameter.sub(this.change(name, gradient, learningRate))));
        gradient.dispose();
      }
    });
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
    for (const slot of [...this.slots.values(), ...this.changed.values()]) slot.dispose();
  }

  private change(name: string, gradient: Tensor, learningRate: number): Tensor {
    const { name: kind, beta1 } = this.options;
    if (kind === 'SGD') return gradient.mul(learningRate);
    const mean = this.slots.get(`${name}/mean`) as Variable;
    if (kind === 'Momentum') {
      mean.assign(mean.mul(beta1).add(gradient));
      return mean.mul(learningRate);
    }
    const square = this.slots.get(`${name}/square`) as Variable;
    mean.assign(mean.mul(beta1).add(gradient.mul(1 - beta1)));
    square.assign(square.mul(BETA2).add(gradient.square().mul(1 - BETA2)));
    const { rate, epsilon } = this.corrected(learningRate);
    return mean.mul(rate).div(square.sqrt().add(epsilon));
  }

  /** Adam's rate and ε with both bias corrections in them: as scalars they cost no pass over the values. */
  private corrected(learningRate: number): { rate: number; epsilon: number } {
    const correction = Math.sqrt(1 - BETA2 ** this.updates);
    return { rate: (learningRate * correction) / (1 - this.options.beta1 ** this.updates), epsilon: EPSILON * correction };
  }

  /** The kernel's own bias corrections are left out by powers of 0. */
  private adamScalars(learningRate: number): Tensor[] {
    const { rate, epsilon } = this.corrected(learningRate);
    const none = tf.scalar(0);
    return [none, none, ...[rate, this.options.beta1, BETA2, epsilon].map((value) => tf.scalar(value))];
  }

  /** @returns the parameter's new value */
  private applyAdam(name: string, parameter: Variable, gradient: Tensor, scalars: Tensor[]): Tensor {
    const value = this.changed.get(name)!;
    value.assign(parameter);
    const [mean, square] = ['mean', 'square'].map((kind) => this.slots.get(`${name}/${kind}`) as ResourceVariable) as [ResourceVariable, ResourceVariable];
    runKernel('ResourceApplyAdam', [value.handle, mean.handle, square.handle, ...scalars, gradient], 0, (b) => [
      floatType(b),
      { name: 'use_locking', type: b.TF_ATTR_BOOL!, value: false },
      { name: 'use_nesterov', type: b.TF_ATTR_BOOL!, value: false },
    ]);
    return value.read();
  }
}
