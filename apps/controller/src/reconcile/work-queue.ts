/** The longest that a timer of Node can be: one of more goes off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * A queue of keys to be worked on: a key waits in it at most once, is never worked on twice at the same time, and comes back by itself
 * after a delay when it is asked for or when the work failed (with growing delays).
 */
export class WorkQueue {
  private readonly waiting = new Set<string>();
  private readonly active = new Set<string>();
  private readonly dirty = new Set<string>();
  private readonly failures = new Map<string, number>();
  private readonly timers = new Map<string, { timer: NodeJS.Timeout; dueAt: number }>();
  private stopped = false;

  constructor(
    /** Works on a key; gives after how many milliseconds it wants to be seen again, if at all. */
    private readonly work: (key: string) => Promise<number | undefined>,
    private readonly concurrency: number,
    private readonly onError: (key: string, error: unknown) => void,
  ) {}

  get depth(): number {
    return this.waiting.size + this.dirty.size;
  }

  add(key: string): void {
    if (this.stopped) return;
    if (this.active.has(key)) this.dirty.add(key);
    else this.waiting.add(key);
    this.pump();
  }

  /** The key will be worked on within `ms`, or when it is due anyway if that is sooner. */
  addWithin(key: string, ms: number): void {
    const dueAt = performance.now() + ms;
    if (this.stopped || (this.timers.get(key)?.dueAt ?? Infinity) <= dueAt) return;
    clearTimeout(this.timers.get(key)?.timer);
    const timer = setTimeout(() => {
      this.timers.delete(key);
      this.add(key);
    }, Math.min(ms, LONGEST_TIMER_MS));
    this.timers.set(key, { timer, dueAt });
  }

  stop(): void {
    this.stopped = true;
    for (const { timer } of this.timers.values()) clearTimeout(timer);
    this.waiting.clear();
  }

  /** Resolves when nothing is being worked on any more. */
  async idle(): Promise<void> {
    while (this.active.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  private pump(): void {
    for (const key of this.waiting) {
      if (this.active.size >= this.concurrency) return;
      this.waiting.delete(key);
      this.active.add(key);
      void this.run(key);
    }
  }

  private async run(key: string): Promise<void> {
    // Whatever it was to be looked at for, this round does; the round says when to look again.
    clearTimeout(this.timers.get(key)?.timer);
    this.timers.delete(key);
    try {
      const afterMs = await this.work(key);
      this.failures.delete(key);
      if (afterMs !== undefined) this.addWithin(key, afterMs);
    } catch (error) {
      const failures = (this.failures.get(key) ?? 0) + 1;
      this.failures.set(key, failures);
      this.onError(key, error);
      this.addWithin(key, Math.min(30_000, 100 * 2 ** Math.min(failures - 1, 10)) * (0.75 + Math.random() / 2));
    } finally {
      this.active.delete(key);
      if (this.dirty.delete(key)) this.add(key);
      else this.pump();
    }
  }
}
