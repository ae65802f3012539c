/** Lets many through side by side, or one alone: whoever wants to be alone waits until nobody is inside, and those who come later wait for it. */
export class Gate {
  private inside = 0;
  private readonly leaving = new Set<() => void>();
  /** Set while somebody is alone inside, or waits to be. */
  private closed: Promise<unknown> | undefined;

  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.closed) await this.closed;
    this.inside++;
    try {
      return await work();
    } finally {
      if (--this.inside === 0) for (const told of this.leaving) told();
    }
  }

  async alone<T>(work: () => Promise<T>): Promise<T> {
    while (this.closed) await this.closed;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    try {
      await this.untilEmpty();
      return await work();
    } finally {
      this.closed = undefined;
      resolve();
    }
  }

  private async untilEmpty(): Promise<void> {
    while (this.inside > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.leaving.add(resolve);
      await promise;
      this.leaving.delete(resolve);
    }
  }
}
