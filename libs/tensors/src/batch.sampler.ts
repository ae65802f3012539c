import { Random } from './random.js';

export interface BatchSamplerState {
  epoch: number;
  /** Batches already taken of this epoch. */
  position: number;
}

/**
 * Shuffled epochs: every image once an epoch, in an order that depends only on the seed and the epoch, so the state is two
 * numbers. What is left over at an epoch's end (less than a batch) is not used in that epoch; a batch is never short.
 */
export class BatchSampler {
  private epoch = 0;
  private position = 0;
  private order: Int32Array;

  constructor(
    private readonly count: number,
    readonly batchSize: number,
    private readonly seed: number,
  ) {
    this.order = this.shuffled();
  }

  get state(): BatchSamplerState {
    return { epoch: this.epoch, position: this.position };
  }

  set state({ epoch, position }: BatchSamplerState) {
    this.epoch = epoch;
    this.position = position;
    this.order = this.shuffled();
  }

  /** Indices of the next batch, always `batchSize` of them. */
  next(): Int32Array {
    if ((this.position + 1) * this.batchSize > this.order.length) {
      this.state = { epoch: this.epoch + 1, position: 0 };
    }
    const start = this.position * this.batchSize;
    this.position += 1;
    return this.order.subarray(start, start + this.batchSize);
  }

  /** What `next` will give. */
  peek(): Int32Array {
    const { epoch, position, order } = this;
    const batch = this.next();
    Object.assign(this, { epoch, position, order });
    return batch;
  }

  /** An epoch's order; a data set smaller than a batch is repeated until it fills one. */
  private shuffled(): Int32Array {
    const once = new Random(this.seed, this.epoch).permutation(this.count);
    if (this.count >= this.batchSize) return once;
    return Int32Array.from({ length: this.batchSize }, (_, i) => once[i % this.count]!);
  }
}
