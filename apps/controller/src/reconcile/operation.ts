import type { Census, ResourceKey } from '@caricature/reconciler';
import type { Platform, Term } from '../platform/platform.js';
import { ReconcileLoop, type ReconcileOptions } from './reconcile-loop.js';

export type OperationOptions = Omit<ReconcileOptions, 'store' | 'driver' | 'folderFingerprint' | 'progressIntervalMs' | 'resyncMs'>;

/** The reconcile loop for as long as this process is the one that runs it. */
export class Operation {
  private current: { term: Term; loop: ReconcileLoop } | undefined;

  constructor(
    private readonly platform: Platform,
    private readonly options: OperationOptions,
  ) {}

  get depth(): number {
    return this.current?.loop.depth ?? 0;
  }

  /** Nothing happens where the loop does not run: whoever runs it hears of it too. */
  noteReport(key: ResourceKey, isUrgent: boolean): void {
    this.current?.loop.noteReport(key, isUrgent);
  }

  /** Of what is worked on from here: nothing when another replica does that. */
  async census(): Promise<Census> {
    return (await this.current?.term.store.census()) ?? { all: [], unfinishedRuns: [] };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { platform, options } = this;
    await platform.operate(async (term) => {
      const { folderFingerprint, progressIntervalMs, resyncMs } = platform;
      const loop = new ReconcileLoop({ ...options, store: term.store, driver: term.driver, folderFingerprint, progressIntervalMs, resyncMs });
      this.current = { term, loop };
      try {
        await loop.start(term.signal);
      } finally {
        this.current = undefined;
      }
    }, signal);
  }
}
