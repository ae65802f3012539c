import { isDeepStrictEqual } from 'node:util';
import { plan, type Resource, type ResourceKey, type ResourceStatus } from '@caricature/reconciler';
import { act, recordAttempts } from './act.js';
import { observe, type Sources } from './observe.js';
import { WorkQueue } from './work-queue.js';

export interface ReconcileOptions extends Sources {
  log(line: string): void;
  onReconciled?(kind: string, result: 'ok' | 'error' | 'conflict', seconds: number): void;
  concurrency?: number;
}

/**
 * Drives every resource towards what it asks for: gather what is there, plan, act, write the status. It keeps nothing between rounds, so
 * it can be killed at any instant and begun again.
 */
export class ReconcileLoop {
  private readonly queue: WorkQueue;

  constructor(private readonly options: ReconcileOptions) {
    this.queue = new WorkQueue(
      (key) => this.reconcileTimed(parseKey(key)),
      options.concurrency ?? 8,
      (key, error) => options.log(`reconciling ${key}: ${error instanceof Error ? error.message : String(error)}`),
    );
  }

  get depth(): number {
    return this.queue.depth;
  }

  enqueue(key: ResourceKey): void {
    this.queue.add(`${key.kind}/${key.namespace}/${key.name}`);
  }

  /** Runs until `signal` aborts and everything begun has ended. */
  async start(signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.options.store.watch((key) => void this.changed(key), signal),
      this.options.driver.watch((owner) => this.enqueue(owner), signal),
    ]);
    this.queue.stop();
    await this.queue.idle();
  }

  /** A change in one resource may be what others wait for. */
  private async changed(key: ResourceKey): Promise<void> {
    this.enqueue(key);
    if (key.kind !== 'CrawlJob') return;
    try {
      for (const run of await this.options.store.list('TrainingRun', key.namespace)) {
        if (run.status?.phase !== 'Succeeded' && run.status?.phase !== 'Failed') this.enqueue({ kind: run.kind, ...run.metadata });
      }
    } catch (error) {
      this.options.log(`looking for runs that wait for ${key.name}: ${String(error)}`);
    }
  }

  private async reconcileTimed(key: ResourceKey): Promise<number | undefined> {
    const began = performance.now();
    const done = (result: 'ok' | 'error' | 'conflict') => this.options.onReconciled?.(key.kind, result, (performance.now() - began) / 1000);
    try {
      const after = await this.reconcile(key);
      done('ok');
      return after;
    } catch (error) {
      // Somebody changed the resource meanwhile: look again with what it is now.
      const conflict = /conflict/i.test(String((error as { code?: unknown }).code));
      done(conflict ? 'conflict' : 'error');
      if (conflict) return 0;
      throw error;
    }
  }

  private async reconcile(key: ResourceKey): Promise<number | undefined> {
    const { store, database } = this.options;
    const resource = await store.find(key);
    if (!resource) return undefined;
    const observed = await observe(resource, this.options);
    const { actions, status, requeueAfterMs } = plan(resource, observed, Date.now());
    // Jobs first, the status after: a status never tells of a job that was not made, and making a job twice makes one.
    for (const action of actions) await act(action, resource, this.options);
    await recordAttempts(resource, observed.jobs, database);
    if (status && !sameStatus(resource, status)) await store.updateStatus(resource, status);
    // A model is named in the status only once it is published.
    return actions.some((a) => a.type === 'publishModel') ? 0 : requeueAfterMs;
  }
}

function sameStatus(resource: Resource, status: ResourceStatus): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify(status)), resource.status);
}

function parseKey(key: string): ResourceKey {
  const [kind, namespace, name] = key.split('/') as [ResourceKey['kind'], string, string];
  return { kind, namespace, name };
}
