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

  /** Follows the networks after the update of `step`. A young average follows faster, or it would still hold first weights. */
  follow(step: number): void {
    if (this.decay === 0) return;
    const decay = Math.min(this.decay, (step + 1) / (step + 10));
    for (const name of this.names) this.networks[name].follow(this.trained[name], decay);
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
