import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ReportItem } from '@caricature/contracts';
import type { ReportSenderOptions } from './report-sender.js';

/** A `ReportSender` on a thread of its own, so that reports go out while the main thread computes. */
export class Reporter {
  private readonly thread: Worker;
  private failure: Error | undefined;

  constructor(options: Omit<ReportSenderOptions, 'log'>) {
    this.thread = new Worker(new URL('./report-thread.js', import.meta.url), { workerData: options });
    this.thread.on('error', (error: Error) => (this.failure = error));
  }

  add(item: ReportItem): void {
    this.thread.postMessage(item);
  }

  /** Resolves when every report has been taken. @throws when the controller stayed away too long, or the thread failed */
  async close(): Promise<void> {
    const ended = once(this.thread, 'exit');
    this.thread.postMessage('close');
    await ended;
    if (this.failure) throw this.failure;
  }
}
