/** Counts named by path, such as `retry/count` and `response/status/200`. */
export class Statistics {
  readonly counts: Record<string, number> = {};

  add(name: string, amount = 1): void {
    this.counts[name] = (this.counts[name] ?? 0) + amount;
  }
}
