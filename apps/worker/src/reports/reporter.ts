import { once } from 'node:events';
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ReportItem } from '@caricature/contracts';
import type { ReportSenderOptions } from './report-sender.js';
import type { ReporterRequest } from './report-thread.js';

/** A `ReportSender` on a thread of its own, so that reports go out while the main thread computes. */
export class Reporter {
  private readonly thread: Worker;
  private readonly ended: Promise<never>;

  /** `onSuperseded` is called when a newer attempt has taken this one's place. */
  constructor(options: Omit<ReportSenderOptions, 'log' | 'onSuperseded'>, onSuperseded: () => void) {
    this.thread = new Worker(new URL('./report-thread.js', import.meta.url), { workerData: options });
    // The thread tells nothing else by itself.
    this.thread.on('message', onSuperseded);
    this.ended = once(this.thread, 'exit').then(() => {
      throw new Error('the thread that sends reports has ended');
    });
    this.ended.catch(() => undefined);
  }

  add(item: ReportItem): void {
    this.thread.postMessage({ add: item } satisfies ReporterRequest);
  }

  /** What the controller has not taken yet. */
  unsent(): Promise<ReportItem[]> {
    return this.ask('unsent');
  }

  /** Resolves when the controller has taken everything. @throws when it stays away too long */
  flush(): Promise<void> {
    return this.ask('flush');
  }

  /** As `flush`; there will be no more reports. */
  close(): Promise<void> {
    return this.ask('close');
  }

  private async ask<T>(what: 'unsent' | 'flush' | 'close'): Promise<T> {
    const { port1, port2 } = new MessageChannel();
    const answer = once(port1, 'message') as Promise<[{ value: T } | { failure: string }]>;
    this.thread.postMessage({ ask: what, port: port2 } satisfies ReporterRequest, [port2]);
    const [reply] = await Promise.race([answer, this.ended]);
    port1.close();
    if ('failure' in reply) throw new Error(reply.failure);
    return reply.value;
  }
}
