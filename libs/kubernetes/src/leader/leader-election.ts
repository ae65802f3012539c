import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Lease } from '@kubernetes/client-node';
import { leasePath } from '../client/api-path.js';
import type { Fence, KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';

export interface LeaderElectionOptions {
  client: KubernetesClient;
  namespace: string;
  name: string;
  /** Different for every process that ever runs. */
  identity: string;
  log(line: string): void;
  onChange?(isLeader: boolean): void;
  /** Others take over after this long without a renewal. */
  leaseMs?: number;
  /** The leader steps down by itself after this long without one: earlier, so that two never lead. */
  renewDeadlineMs?: number;
  retryMs?: number;
}

/** A Lease as this process last saw it change, by its own clock: those of other machines are not compared. */
interface Sighting {
  record: string;
  at: number;
}

/**
 * Lets one of several replicas lead at a time, through a Lease. Who leads has to renew it; who cannot is cut off by its fence before anybody
 * else may lead.
 */
export class LeaderElection {
  private readonly leaseMs: number;
  private readonly renewDeadlineMs: number;
  private readonly retryMs: number;
  private seen: Sighting | undefined;
  private lease: V1Lease | undefined;

  constructor(private readonly options: LeaderElectionOptions) {
    this.leaseMs = options.leaseMs ?? 15_000;
    this.renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
    this.retryMs = options.retryMs ?? 2_000;
  }

  /** Calls `lead` whenever this process becomes the leader, until `signal` aborts. `lead` returns once its fence's signal aborts. */
  async run(lead: (fence: Fence) => Promise<void>, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedAt = performance.now();
      if (await this.acquire(signal)) await this.term(lead, startedAt, signal);
      await this.pause(signal);
    }
  }

  private async term(lead: (fence: Fence) => Promise<void>, acquiredAt: number, signal: AbortSignal): Promise<void> {
    const { log, onChange, identity } = this.options;
    const end = new AbortController();
    const fence = new TermFence(acquiredAt, this.renewDeadlineMs, end);
    log(`${identity} leads`);
    onChange?.(true);
    const work = lead(fence).catch((error: unknown) => log(`leading failed: ${error instanceof Error ? error.message : String(error)}`)).finally(() => end.abort());
    await this.keepRenewing(fence, AbortSignal.any([signal, end.signal]));
    const wasDeposed = !fence.holds();
    end.abort();
    await work;
    fence.close();
    onChange?.(false);
    log(wasDeposed ? `${identity} no longer leads: the lease could not be renewed` : `${identity} steps down`);
    if (!wasDeposed) await this.release();
  }

  private async keepRenewing(fence: TermFence, signal: AbortSignal): Promise<void> {
    while (!signal.aborted && fence.holds()) {
      await sleep(this.retryMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const startedAt = performance.now();
      const held = await this.write(this.held(this.lease), signal);
      if (held === 'written') fence.renewed(startedAt);
      if (held === 'lost') fence.lose();
    }
  }

  private async acquire(signal: AbortSignal): Promise<boolean> {
    try {
      const { client, namespace, name, identity } = this.options;
      this.lease = await client.find<V1Lease>(leasePath(namespace, name));
      const holder = this.lease?.spec?.holderIdentity;
      if (this.lease && holder && holder !== identity && !this.isExpired(this.lease)) return false;
      return (await this.write(this.held(this.lease), signal)) === 'written';
    } catch (error) {
      this.options.log(`the lease cannot be read: ${(error as Error).message}`);
      return false;
    }
  }

  private isExpired({ metadata, spec }: V1Lease): boolean {
    const record = `${metadata?.resourceVersion} ${spec?.renewTime}`;
    if (this.seen?.record !== record) this.seen = { record, at: performance.now() };
    return performance.now() - this.seen.at > Math.max(this.leaseMs, (spec?.leaseDurationSeconds ?? 0) * 1000);
  }

  /** `lost` when somebody else wrote it meanwhile; `failed` when nobody knows. */
  private async write(lease: V1Lease, signal: AbortSignal): Promise<'written' | 'lost' | 'failed'> {
    const { client, namespace, name, log } = this.options;
    const within = AbortSignal.any([signal, AbortSignal.timeout(this.renewDeadlineMs / 2)]);
    try {
      this.lease = lease.metadata?.resourceVersion
        ? await client.update<V1Lease>(leasePath(namespace, name), lease, within)
        : await client.create<V1Lease>(leasePath(namespace), lease, within);
      return 'written';
    } catch (error) {
      if (isKubernetesError(error, 'Conflict', 'AlreadyExists', 'NotFound')) return 'lost';
      if (!signal.aborted) log(`the lease cannot be written: ${(error as Error).message}`);
      return 'failed';
    }
  }

  private held(before: V1Lease | undefined): V1Lease {
    const { namespace, name, identity } = this.options;
    const isOurs = before?.spec?.holderIdentity === identity;
    const now = microTime();
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: before?.metadata ?? { namespace, name },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.leaseMs / 1000),
        acquireTime: (isOurs ? before?.spec?.acquireTime : undefined) ?? now,
        renewTime: now,
        leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (isOurs ? 0 : 1),
      },
    };
  }

  /** The next leader need not wait for the lease to end. */
  private async release(): Promise<void> {
    const { lease } = this;
    if (!lease) return;
    await this.write({ ...lease, spec: { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() } }, new AbortController().signal);
  }

  private async pause(signal: AbortSignal): Promise<void> {
    await sleep(this.retryMs * (0.8 + Math.random() * 0.4), undefined, { signal }).catch(() => undefined);
  }
}

/** Holds until the deadline after the last renewal, by this machine's monotonic clock; checked before each write and by a timer. */
class TermFence implements Fence {
  private timer: NodeJS.Timeout | undefined;
  private lost = false;

  constructor(
    private renewedAt: number,
    private readonly deadlineMs: number,
    private readonly end: AbortController,
  ) {
    this.arm();
  }

  get signal(): AbortSignal {
    return this.end.signal;
  }

  holds(): boolean {
    return !this.lost && !this.end.signal.aborted && performance.now() - this.renewedAt < this.deadlineMs;
  }

  /** `at` is when the renewal was sent: when it arrived is not known. */
  renewed(at: number): void {
    this.renewedAt = at;
    this.arm();
  }

  lose(): void {
    this.lost = true;
    this.end.abort();
  }

  close(): void {
    clearTimeout(this.timer);
  }

  private arm(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.lose(), Math.max(0, this.renewedAt + this.deadlineMs - performance.now()));
  }
}

/** A Lease's times have microseconds, and the API server refuses others. */
function microTime(): Date {
  return new Date().toISOString().replace('Z', '000Z') as unknown as Date;
}
