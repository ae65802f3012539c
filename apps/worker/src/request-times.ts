import type { ReportItem } from '@caricature/contracts';

const TELL_EVERY_MS = 1000;

/** Gathers how long requests took, and reports their mean once a second. */
export class RequestTimes {
  private sum = 0;
  private count = 0;
  private toldAt = 0;

  constructor(
    private readonly report: (item: ReportItem) => void,
    private readonly now: () => number = Date.now,
  ) {}

  add(seconds: number): void {
    this.sum += seconds;
    this.count += 1;
  }

  /** Tells the mean since it was told last, at `step`; nothing when there was no request or a second has not passed, unless it is the end. */
  tell(step: number, atEnd = false): void {
    const at = this.now();
    if (this.count === 0 || (!atEnd && at - this.toldAt < TELL_EVERY_MS)) return;
    this.report({ type: 'metrics', step, at: new Date(at).toISOString(), values: { requestSeconds: this.sum / this.count } });
    this.sum = 0;
    this.count = 0;
    this.toldAt = at;
  }
}
