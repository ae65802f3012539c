import type { Resource, ResourceKey } from '@caricature/reconciler';
import type { Platform, Term } from '../platform/platform.js';
import { ReconcileLoop, type ReconcileOptions } from './reconcile-loop.js';

export type OperationOptions = Omit<ReconcileOptions, 'store' | 'driver' | 'folderFingerprint' | 'progressIntervalMs'>;

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

  /** The resources that are worked on from here: none when another replica does. */
  async resources(): Promise<Resource[]> {
    const store = this.current?.term.store;
    return store ? (await Promise.all([store.list('CrawlJob'), store.list('TrainingRun')])).flat() : [];
  }

  async run(signal: AbortSignal): Promise<void> {
    const { platform, options } = this;
    await platform.operate(async (term) => {
      const { folderFingerprint, progressIntervalMs } = platform;
      const loop = new ReconcileLoop({ ...options, store: term.store, driver: term.driver, folderFingerprint, progressIntervalMs });
      this.current = { term, loop };
      try {
        await loop.start(term.signal);
      } finally {
        this.current = undefined;
      }
    }, signal);
  }
}
