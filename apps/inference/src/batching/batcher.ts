interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export interface BatcherOptions<Item, Result> {
  maxBatch: number;
  /** How long the first item waits for others. */
  delayMs: number;
  /** Gives one result an item, in their order. */
  run(items: Item[]): Promise<Result[]>;
}

/** Runs items that come at about the same time together: one run of a model for eight faces costs far less than eight. */
export class Batcher<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private working = false;

  constructor(private readonly options: BatcherOptions<Item, Result>) {}

  submit(item: Item): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => this.waiting.push({ item, resolve, reject }));
    if (!this.working) void this.work();
    return result;
  }

  private async work(): Promise<void> {
    this.working = true;
    while (this.waiting.length > 0) {
      // While a batch ran, others gathered: only a short queue has something to wait for.
      if (this.waiting.length < this.options.maxBatch) await new Promise((resolve) => setTimeout(resolve, this.options.delayMs));
      await this.runBatch(this.waiting.splice(0, this.options.maxBatch));
    }
    this.working = false;
  }

  private async runBatch(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.options.run(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(results[index]!));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
