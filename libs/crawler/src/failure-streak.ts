import { requestError } from './resolve-catalog.js';
import type { RequestFailure } from './request.js';

/** So many samples failing one after another are the source's fault and not the samples'. */
const FAILURES_IN_A_ROW = 20;

/** A sample given up, by the kind of its failure: a message would name the host, and equal crawls give equal bytes. */
export interface LostSample {
  index: number;
  reason: string;
}

/** Samples that failed since the last success. They count only once another succeeds: else the source is at fault. */
export class FailureStreak {
  private waiting: LostSample[] = [];
  private readonly limit: number;

  constructor(
    total: number,
    private readonly baseUrl: string,
  ) {
    this.limit = Math.min(FAILURES_IN_A_ROW, total);
  }

  /** Throws the CrawlError of a source that fails when this failure is one too many. */
  add(index: number, failure: RequestFailure): void {
    this.waiting.push({ index, reason: failure.kind });
    if (this.waiting.length >= this.limit) throw requestError(failure, this.baseUrl);
  }

  /** The streak's samples, which are lost for good. */
  end(): LostSample[] {
    return this.waiting.splice(0);
  }
}
