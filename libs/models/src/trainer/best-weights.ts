import { tensorsUnder, withPrefix } from '../checkpoint/checkpoint.js';
import type { Stateful } from '../checkpoint/stateful.js';
import type { NamedTensor, Network } from '../layers/network.js';
import type { SelectionSettings } from '../settings.js';
import type { StepMetrics } from './trainer.js';

/** Where the best weights were found, and by what score; lower is better. */
export interface BestScore {
  step: number;
  score: number;
}

/**
 * Keeps, beside the last weights, those that scored best so far. The score must need no label of the target domain; it is looked at
 * every `everySteps` steps, and all of it is in the checkpoints, so a run that was killed keeps the same weights.
 */
export class BestWeights implements Stateful {
  private best: (BestScore & { tensors: Map<string, NamedTensor> }) | undefined;

  constructor(
    private readonly networks: Record<string, Network>,
    private readonly settings: SelectionSettings,
  ) {}

  get found(): BestScore | undefined {
    return this.best && { step: this.best.step, score: this.best.score };
  }

  /**
   * Scores the networks when it is time.
   * @param done steps done
   * @param terms what the score is the weighted sum of
   * @returns `selection/score` and its terms, or nothing
   */
  consider(done: number, terms: () => Record<string, number>): StepMetrics {
    if (done % this.settings.everySteps !== 0) return {};
    const values = Object.entries(terms());
    const score = values.reduce((sum, [name, value]) => sum + (this.settings.weights[name] ?? 0) * value, 0);
    if (this.best === undefined || score < this.best.score) {
      const tensors = new Map(Object.entries(this.networks).flatMap(([name, network]) => withPrefix(name, network.snapshot())));
      this.best = { step: done, score, tensors };
    }
    return { 'selection/score': score, ...Object.fromEntries(values.map(([name, value]) => [`selection/${name}`, value])) };
  }

  /** Puts the best weights into the networks. */
  apply(): void {
    if (this.best) for (const [name, network] of Object.entries(this.networks)) network.restore(tensorsUnder(this.best.tensors, name));
  }

  snapshot(): { tensors: Map<string, NamedTensor>; state?: unknown } {
    return this.best ? { tensors: this.best.tensors, state: this.found } : { tensors: new Map() };
  }

  restore(tensors: Map<string, NamedTensor>, state: unknown): void {
    this.best = state === undefined ? undefined : { ...(state as BestScore), tensors };
  }
}
