import { gradients } from '../backend/gradients.js';
import { ResourceVariable } from '../backend/resource-variable.js';
import { findNodeBackend, floatType, runKernel, tf, type Tensor, type Tensor1D, type Variable } from '../backend/tensorflow.js';
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

/**
 * Adam (Kingma, Ba, ICLR 2015), SGD or momentum over named parameters; its slots are explicit, so that a checkpoint holds all of its state. On TensorFlow's
 * own kernels Adam's update of a parameter is one of them, in place of a dozen.
 */
export class Optimizer implements Stateful {
  private readonly slots = new Map<string, Variable>();
  /** Where Adam's kernel changes a parameter and its slots, one after another. */
  private readonly inPlace: [ResourceVariable, ResourceVariable, ResourceVariable] | undefined;
  private updates = 0;

  constructor(
    private readonly options: OptimizerOptions,
    private readonly parameters: Map<string, Variable>,
  ) {
    const kinds = options.name === 'Adam' ? ['mean', 'square'] : options.name === 'Momentum' ? ['mean'] : [];
    for (const [name, { shape }] of parameters) {
      for (const kind of kinds) this.slots.set(`${name}/${kind}`, tf.tidy(() => tf.variable(tf.zeros(shape), false)));
    }
    if (options.name === 'Adam' && findNodeBackend()) this.inPlace = [new ResourceVariable(), new ResourceVariable(), new ResourceVariable()];
  }

  /** Begins an update: what `minimize` or `update` are to be given, [2], the rate and Adam's ε with both bias corrections in them. */
  begin(learningRate: number): Tensor1D {
    this.updates += 1;
    if (this.options.name !== 'Adam') return tf.tensor1d([learningRate, 0]);
    const correction = Math.sqrt(1 - BETA2 ** this.updates);
    return tf.tensor1d([(learningRate * correction) / (1 - this.options.beta1 ** this.updates), EPSILON * correction]);
  }

  /**
   * Minimizes `loss` by one update.
   * @param rates of `begin`
   * @returns the loss's value, which the caller disposes
   */
  minimize(loss: () => Tensor, rates: Tensor1D): Tensor {
    const { value, grads } = gradients(loss, this.variables);
    this.update(grads, rates);
    return value;
  }

  /** What is updated, in the order of the gradients. */
  get variables(): Variable[] {
    return [...this.parameters.values()];
  }

  /** One update by gradients that were computed already, one for each of `variables`; they are freed. */
  update(gradients: (Tensor | undefined)[], rates: Tensor1D): void {
    tf.tidy(() => {
      const [rate, epsilon] = tf.unstack(rates) as [Tensor, Tensor];
      for (const [i, [name, parameter]] of [...this.parameters].entries()) {
        const gradient = gradients[i]!;
        tf.tidy(() => this.updateOne(name, parameter, gradient, rate, epsilon));
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
    for (const slot of [...this.slots.values(), ...(this.inPlace ?? [])]) slot.dispose();
  }

  private updateOne(name: string, parameter: Variable, gradient: Tensor, rate: Tensor, epsilon: Tensor): void {
    const { name: kind, beta1 } = this.options;
    const [mean, square] = ['mean', 'square'].map((slot) => this.slots.get(`${name}/${slot}`)) as [Variable, Variable];
    if (kind === 'SGD') parameter.assign(parameter.sub(gradient.mul(rate)));
    else if (kind === 'Momentum') {
      mean.assign(mean.mul(beta1).add(gradient));
      parameter.assign(parameter.sub(mean.mul(rate)));
    } else if (this.inPlace) this.applyAdam(this.inPlace, [parameter, mean, square], gradient, rate, epsilon);
    else {
      mean.assign(mean.mul(beta1).add(gradient.mul(1 - beta1)));
      square.assign(square.mul(BETA2).add(gradient.square().mul(1 - BETA2)));
      parameter.assign(parameter.sub(mean.mul(rate).div(square.sqrt().add(epsilon))));
    }
  }

  /** The kernel's own bias corrections are left out by powers of 0. */
  private applyAdam(inPlace: ResourceVariable[], changed: Variable[], gradient: Tensor, rate: Tensor, epsilon: Tensor): void {
    inPlace.forEach((place, i) => place.assign(changed[i]!));
    const none = tf.scalar(0);
    const scalars = [none, none, rate, tf.scalar(this.options.beta1), tf.scalar(BETA2), epsilon];
    runKernel('ResourceApplyAdam', [...inPlace.map(({ handle }) => handle), ...scalars, gradient], 0, (b) => [
      floatType(b),
      { name: 'use_locking', type: b.TF_ATTR_BOOL!, value: false },
      { name: 'use_nesterov', type: b.TF_ATTR_BOOL!, value: false },
    ]);
    inPlace.forEach((place, i) => changed[i]!.assign(place.read()));
  }
}
