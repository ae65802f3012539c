import { isDeepStrictEqual } from 'node:util';
import { isConflict, JobRefusedError, plan, type Action, type Observed, type Resource, type ResourceKey, type ResourceStatus } from '@caricature/reconciler';
import type { StageName, TrainingRun } from '@caricature/contracts';
import { act, recordAttempts } from './act.js';
import { Gate } from './gate.js';
import { observe, type Sources } from './observe.js';
import { hasFaces, takesFrom, withoutProgress } from './status-changes.js';
import { StoredArtifacts } from './stored-artifacts.js';
import { WorkQueue } from './work-queue.js';

export interface ReconcileOptions extends Sources {
  log(line: string): void;
  onReconciled?(kind: string, result: 'ok' | 'error' | 'conflict', seconds: number): void;
  concurrency?: number;
  /** Progress alone is written to a status no more often than this. */
  progressIntervalMs?: number;
}

/**
 * Drives every resource towards what it asks for: gather what is there, plan, act, write the status. It keeps nothing between rounds that
 * it needs, so it can be killed at any instant and begun again.
 */
export class ReconcileLoop {
  private queue: WorkQueue | undefined;
  private readonly gate = new Gate();
  private readonly progressWrittenAt = new Map<string, number>();
  private readonly stored: StoredArtifacts;

  constructor(private readonly options: ReconcileOptions) {
    this.stored = new StoredArtifacts(options.artifacts, options.database.artifacts);
  }

  get depth(): number {
    return this.queue?.depth ?? 0;
  }

  enqueue(key: ResourceKey): void {
    this.queue?.add(nameOf(key));
  }

  /** Progress is looked at by and by, where writing it costs something. */
  noteReport(key: ResourceKey, isUrgent: boolean): void {
    if (isUrgent || !this.options.progressIntervalMs) this.enqueue(key);
    else this.queue?.addWithin(nameOf(key), this.options.progressIntervalMs);
  }

  /** Runs until `signal` aborts and everything begun has ended. Once it has, nothing more is written. */
  async start(signal: AbortSignal): Promise<void> {
    const { log, store, driver, concurrency = ROUNDS_AT_ONCE } = this.options;
    const queue = new WorkQueue(
      (key) => this.reconcileTimed(parseKey(key), signal),
      concurrency,
      (key, error) => (signal.aborted ? undefined : log(`reconciling ${key}: ${error instanceof Error ? error.message : String(error)}`)),
    );
    this.queue = queue;
    try {
      await Promise.all([store.watch((key) => this.enqueue(key), signal), driver.watch((owner) => this.enqueue(owner), signal)]);
    } finally {
      queue.stop();
      await queue.idle();
      this.progressWrittenAt.clear();
      this.queue = undefined;
    }
  }

  private async reconcileTimed(key: ResourceKey, signal: AbortSignal): Promise<number | undefined> {
    const began = performance.now();
    const done = (result: 'ok' | 'error' | 'conflict') => this.options.onReconciled?.(key.kind, result, (performance.now() - began) / 1000);
    try {
      const after = await this.reconcile(key, signal);
      done('ok');
      return after;
    } catch (error) {
      // Somebody changed the resource meanwhile: look again with what it is now.
      const conflict = isConflict(error);
      done(conflict ? 'conflict' : 'error');
      if (conflict) return CONFLICT_RETRY_MS;
      throw error;
    }
  }

  private async reconcile(key: ResourceKey, signal: AbortSignal): Promise<number | undefined> {
    const resource = await this.options.store.find(key);
    if (!resource) return undefined;
    // One that goes takes nothing up any more. It may have to wait for all that do.
    return resource.metadata.deletionTimestamp ? this.round(resource, signal) : this.gate.pass(() => this.round(resource, signal));
  }

  private async round(resource: Resource, signal: AbortSignal): Promise<number | undefined> {
    const observed = await observe(resource, this.options, this.stored);
    let planned = plan(resource, observed, Date.now());
    const { refusals, told } = await this.carryOut(planned.actions, resource, signal);
    // What could not be made is not told of as made, but what is in the way is.
    if (refusals) {
      planned = plan(resource, { ...observed, refusals }, Date.now());
      await this.carryOut(planned.actions.filter((a) => a.type === 'recordEvent' && !told.some((t) => isDeepStrictEqual(t, a))), resource, signal);
    }
    await recordAttempts(resource, observed.jobs, this.options);
    const again = await this.writeStatus(resource, planned.status, signal);
    // A model is named in the status only once it is published.
    return planned.actions.some((a) => a.type === 'publishModel') ? 0 : soonest(planned.requeueAfterMs, again);
  }

  /**
   * Jobs first, the status after: a status never tells of a job that was not made, and making a job twice makes one. Gives the events that it
   * told of: once a job is refused, no more of them, as they were planned for one that was made.
   */
  private async carryOut(actions: Action[], resource: Resource, signal: AbortSignal): Promise<{ refusals: Observed['refusals']; told: Action[] }> {
    let refusals: Observed['refusals'];
    const told: Action[] = [];
    for (const action of actions) {
      signal.throwIfAborted();
      if (action.type === 'recordEvent') {
        if (refusals) continue;
        told.push(action);
      }
      try {
        await (action.type === 'removeArtifacts' ? this.gate.alone(() => act(action, resource, this.options)) : act(action, resource, this.options));
      } catch (error) {
        if (!(error instanceof JobRefusedError) || action.type !== 'createJob') throw error;
        refusals = { ...refusals, [action.assignment.stage satisfies StageName]: { reason: error.reason, message: error.message } };
      }
    }
    return { refusals, told };
  }

  /** Gives after how long the rest should be written, when only progress is new and it was written just now. */
  private async writeStatus(resource: Resource, status: ResourceStatus | undefined, signal: AbortSignal): Promise<number | undefined> {
    const { store, progressIntervalMs = 0 } = this.options;
    const { uid } = resource.metadata;
    const before = resource.status;
    const after = status && (JSON.parse(JSON.stringify(status)) as ResourceStatus);
    if (!after || isDeepStrictEqual(after, before)) return undefined;
    const leftMs = progressIntervalMs - (performance.now() - (this.progressWrittenAt.get(uid) ?? -Infinity));
    if (before && leftMs > 0 && isDeepStrictEqual(withoutProgress(after), withoutProgress(before))) return leftMs;
    signal.throwIfAborted();
    await store.updateStatus(resource, after);
    const done = after.phase === 'Succeeded' || after.phase === 'Failed';
    if (done) this.progressWrittenAt.delete(uid);
    else this.progressWrittenAt.set(uid, performance.now());
    if ((done && before?.phase !== after.phase) || (hasFaces(after) && !hasFaces(before))) await this.wakeRuns(resource);
    return undefined;
  }

  /** What another resource has made, or will never make, is what runs may wait for. */
  private async wakeRuns(maker: Resource): Promise<void> {
    const runs = (await this.options.store.list('TrainingRun', maker.metadata.namespace, { unfinished: true })) as TrainingRun[];
    for (const run of runs.filter((r) => takesFrom(r, maker))) this.enqueue({ kind: run.kind, ...run.metadata });
  }
}

/**
 * Rounds mostly wait for the API server and Postgres, which take turns among them: of very many new resources all get their Job before the first
 * are through with what comes after it.
 */
const ROUNDS_AT_ONCE = 64;

/** Long enough for the change to have been heard of. */
const CONFLICT_RETRY_MS = 50;

function soonest(...times: (number | undefined)[]): number | undefined {
  const known = times.filter((t) => t !== undefined);
  return known.length > 0 ? Math.min(...known) : undefined;
}

function nameOf({ kind, namespace, name }: ResourceKey): string {
  return `${kind}/${namespace}/${name}`;
}

function parseKey(key: string): ResourceKey {
  const [kind, namespace, name] = key.split('/') as [ResourceKey['kind'], string, string];
  return { kind, namespace, name };
}
