import { tf, type Tensor, type Variable } from '../backend/tensorflow.js';
import type { Stateful } from '../checkpoint/stateful.js';
import { getTensor, type NamedTensor } from '../layers/network.js';

export type OptimizerName = 'Adam' | 'SGD' | 'Momentum';

export interface OptimizerOptions {
  name: OptimizerName;
  /** Decay of the mean gradient (Adam's β1, or the momentum). */
  beta1: number;
}

const BETA2 = 0.999;
const EPSILON = 1e-8;

/**
 * Parameters of up to so many values are updated together, as one row: a network has dozens of them, and a kernel takes longer to call than to compute on
 * so little. Larger ones would be copied for nothing.
 */
const BUNDLED_SIZE = 65_536;

/** Parameters that are updated by the same calls, and their slots: each one row of all their values, one parameter after another. */
interface Bundle {
  names: string[];
  variables: Variable[];
  slots: Map<string, Variable>; // [size]
}

/** Adam, SGD or momentum over named parameters; its slots are explicit, so that a checkpoint holds all of its state. */
export class Optimizer implements Stateful {
  private readonly bundles: Bundle[];
  private updates = 0;

  constructor(
    private readonly options: OptimizerOptions,
    private readonly parameters: Map<string, Variable>,
  ) {
    const kinds = options.name === 'Adam' ? ['mean', 'square'] : options.name === 'Momentum' ? ['mean'] : [];
    this.bundles = bundle(parameters).map((entries) => {
      const variables = entries.map(([, variable]) => variable);
      const size = variables.reduce((sum, variable) => sum + variable.size, 0);
      const slots = new Map(kinds.map((kind) => [kind, tf.tidy(() => tf.variable(tf.zeros([size]), false))]));
      return { names: entries.map(([name]) => name), variables, slots };
    });
  }

  /**
   * Minimizes `loss` by one update.
   * @returns the loss's value, which the caller disposes
   */
  minimize(loss: () => Tensor, learningRate: number): Tensor {
    const { value, grads } = tf.variableGrads(loss as () => never, [...this.parameters.values()]);
    this.updates += 1;
    for (const { variables, slots } of this.bundles) {
      tf.tidy(() => {
        const rows = variables.map((variable) => grads[variable.name]!.reshape([variable.size]));
        const change = this.change(rows.length === 1 ? rows[0]! : tf.concat(rows), slots, learningRate);
        const parts = rows.length === 1 ? [change] : tf.split(change, variables.map((variable) => variable.size));
        variables.forEach((variable, i) => variable.assign(variable.sub(parts[i]!.reshape(variable.shape))));
      });
      for (const variable of variables) grads[variable.name]!.dispose();
    }
    return value;
  }

  snapshot(): { tensors: Map<string, NamedTensor>; state: number } {
    const tensors = new Map<string, NamedTensor>();
    for (const { names, variables, slots } of this.bundles) {
      const values = new Map([...slots].map(([kind, slot]) => [kind, slot.dataSync() as Float32Array]));
      let start = 0;
      variables.forEach(({ shape, size }, i) => {
        for (const [kind, row] of values) tensors.set(`${names[i]}/${kind}`, { shape, values: row.slice(start, start + size) });
        start += size;
      });
    }
    return { tensors, state: this.updates };
  }

  restore(tensors: Map<string, NamedTensor>, updates: unknown): void {
    for (const { names, variables, slots } of this.bundles) {
      for (const [kind, slot] of slots) {
        const values = names.map((name, i) => getTensor(tensors, `${name}/${kind}`, variables[i]!.shape, 'the optimizer').values);
        tf.tidy(() => slot.assign(tf.concat(values.map((part) => tf.tensor1d(part)))));
      }
    }
    this.updates = updates as number;
  }

  dispose(): void {
    for (const { slots } of this.bundles) for (const slot of slots.values()) slot.dispose();
  }

  /** What a row of parameters is to be lessened by. @param gradient [size] */
  private change(gradient: Tensor, slots: Map<string, Variable>, learningRate: number): Tensor {
    const { name: kind, beta1 } = this.options;
    if (kind === 'SGD') return gradient.mul(learningRate);
    const mean = slots.get('mean')!;
    if (kind === 'Momentum') {
      mean.assign(mean.mul(beta1).add(gradient));
      return mean.mul(learningRate);
    }
    const square = slots.get('square')!;
    mean.assign(mean.mul(beta1).add(gradient.mul(1 - beta1)));
    square.assign(square.mul(BETA2).add(gradient.square().mul(1 - BETA2)));
    // Both bias corrections are scalars: one pass each is saved.
    const correction = Math.sqrt(1 - BETA2 ** this.updates);
    const rate = (learningRate * correction) / (1 - beta1 ** this.updates);
    return mean.mul(rate).div(square.sqrt().add(EPSILON * correction));
  }
}

/** The small parameters together, every other for itself. */
function bundle(parameters: Map<string, Variable>): [string, Variable][][] {
  const entries = [...parameters];
  const small = entries.filter(([, { size }]) => size <= BUNDLED_SIZE);
  return [...(small.length > 0 ? [small] : []), ...entries.filter(([, { size }]) => size > BUNDLED_SIZE).map((entry) => [entry])];
}
