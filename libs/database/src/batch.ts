interface Waiting<T> {
  item: T;
  done(): void;
  failed(error: unknown): void;
}

/**
 * Does something with many items at once: with all that were added while it was last at work. Whoever is alone waits no longer for it; of very
 * many at a time each costs a fraction of a way to the database and back, and of a commit.
 */
export class Batch<T> {
  private waiting: Waiting<T>[] = [];
  private isAtWork = false;

  constructor(private readonly work: (items: T[]) => Promise<unknown>) {}

  /** Resolves once the item is dealt with; rejects when that fails for this item. */
  add(item: T): Promise<void> {
    return new Promise((done, failed) => {
      this.waiting.push({ item, done, failed });
      if (!this.isAtWork) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.isAtWork = true;
    while (this.waiting.length > 0) await this.deal(this.waiting.splice(0));
    this.isAtWork = false;
  }

  private async deal(batch: Waiting<T>[]): Promise<void> {
    try {
      await this.work(batch.map(({ item }) => item));
      for (const { done } of batch) done();
    } catch (error) {
      // One of them may be at fault: the others shall not suffer from it.
      if (batch.length === 1) batch[0]!.failed(error);
      else for (const one of batch) await this.deal([one]);
    }
  }
}
