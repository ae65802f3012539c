import { tf, type Tensor1D } from '../backend/tensorflow.js';
import { savedNetworks, type RunParts } from '../checkpoint/stateful.js';
import type { Network } from '../layers/network.js';

/** Running averages of the weights of networks in training: calmer than the networks themselves, and what is exported. */
export class RunningAverage<Name extends string> {
  /** The averages; the networks themselves where nothing is averaged. */
  readonly networks: Record<Name, Network>;

  /** @param decay share of the old average in a new one; 0 averages nothing */
  constructor(
    private readonly trained: Record<Name, Network>,
    private readonly decay: number,
  ) {
    this.networks = decay > 0 ? (Object.fromEntries(this.names.map((name) => [name, trained[name].clone()])) as Record<Name, Network>) : trained;
  }

  /** By what shares the averages follow after the update of `step`, [2]. A young average follows faster, or it would still hold first weights. */
  sharesAt(step: number): Tensor1D {
    const decay = Math.min(this.decay, (step + 1) / (step + 10));
    return tf.tensor1d([decay, 1 - decay]);
  }

  /** Follows the networks after their update. */
  follow(shares: Tensor1D): void {
    if (this.decay > 0) for (const name of this.names) this.networks[name].follow(this.trained[name], shares);
  }

  /** What a checkpoint holds of it. */
  get parts(): RunParts {
    return this.decay > 0 ? savedNetworks(Object.fromEntries(this.names.map((name) => [`average-${name}`, this.networks[name]]))) : {};
  }

  dispose(): void {
    if (this.decay > 0) for (const name of this.names) this.networks[name].dispose();
  }

  private get names(): Name[] {
    return Object.keys(this.trained) as Name[];
  }
}
