import { setTimeout as sleep } from 'node:timers/promises';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { KubernetesClient, Query } from '../client/kubernetes.client.js';
import { errorOfStatus, KubernetesError } from '../client/kubernetes.error.js';

export interface ReflectorOptions<T> {
  client: KubernetesClient;
  path: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** What is remembered of an object: all that memory has to hold for it. */
  keep(object: KubernetesObject): T;
  /** `after` is undefined when the object is gone, `before` when it is new. */
  onChange(key: string, after: T | undefined, before: T | undefined): void;
  log(line: string): void;
  onRestart?(reason: string): void;
  /** How long the server lets a watch live. Longer silence than that means that the connection is dead. */
  watchSeconds?: number;
  /** Everything is listed again this often, should a change have been missed. */
  relistMs?: number;
  firstDelayMs?: number;
}

interface Kept<T> {
  version: bigint;
  value: T;
}

/** Objects of a page: all of it is in memory at once, several times over. */
const PAGE = 100;
const LONGEST_DELAY_MS = 30_000;

/**
 * A copy of a collection that follows the API server: listed once, then watched. It survives whatever ends a watch: a restarted server, a
 * version that is no longer kept (410), a connection that went silent.
 */
export class Reflector<T> {
  private readonly kept = new Map<string, Kept<T>>();
  /** Everything up to this version is in the copy; 0 before the first list. */
  private version = 0n;
  private listedAt = 0;
  private failures = 0;
  private readonly firstList = Promise.withResolvers<void>();

  constructor(private readonly options: ReflectorOptions<T>) {}

  /** Resolves once everything there was has been listed, or nothing will be. */
  get synced(): Promise<void> {
    return this.firstList.promise;
  }

  get isSynced(): boolean {
    return this.version > 0n;
  }

  get size(): number {
    return this.kept.size;
  }

  get(key: string): T | undefined {
    return this.kept.get(key)?.value;
  }

  *values(): Generator<T> {
    for (const { value } of this.kept.values()) yield value;
  }

  /** Takes in what a write gave back, so that the writer sees its own write before the watch tells of it. */
  put(object: KubernetesObject): void {
    const version = versionOf(object);
    // The watch is past this version: it knows better, and what it does not have is gone.
    if (version <= this.version) return;
    this.set(object, version);
  }

  /** Follows the collection until `signal` aborts; never fails. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.version === 0n || performance.now() - this.listedAt > (this.options.relistMs ?? 30 * 60_000)) await this.list(signal);
        await this.follow(signal);
        this.failures = 0;
      } catch (error) {
        if (!signal.aborted) await this.recover(error, signal);
      }
    }
    // Nobody shall wait for a list that does not come any more.
    this.firstList.resolve();
  }

  private async recover(error: unknown, signal: AbortSignal): Promise<void> {
    const { log, path, onRestart, firstDelayMs = 500 } = this.options;
    const code = error instanceof KubernetesError ? error.code : 'Failed';
    onRestart?.(code);
    if (code === 'Expired') {
      // Listed again at once; the copy is kept meanwhile, and only what differs is told.
      this.listedAt = -Infinity;
      if (this.failures++ === 0) return;
    } else {
      this.failures++;
      log(`watching ${path}: ${(error as Error).message}; trying again`);
    }
    const delayMs = Math.min(LONGEST_DELAY_MS, firstDelayMs * 2 ** Math.min(this.failures - 1, 10)) * (0.5 + Math.random());
    await sleep(delayMs, undefined, { signal }).catch(() => undefined);
  }

  private async list(signal: AbortSignal): Promise<void> {
    const { client, path } = this.options;
    const seen = new Set<string>();
    const startedAt = this.version;
    let version = 0n;
    let next: string | undefined;
    do {
      const page = await client.list<KubernetesObject>(path, { ...this.selector(), limit: PAGE, continue: next }, signal);
      for (const object of page.items) {
        seen.add(keyOf(object));
        this.set(object, versionOf(object));
      }
      version = BigInt(page.metadata?.resourceVersion ?? '0');
      next = page.metadata?._continue ?? (page.metadata as { continue?: string } | undefined)?.continue;
    } while (next);
    // What a write put here after the list was made is newer than the list.
    for (const [key, { version: kept }] of [...this.kept]) if (!seen.has(key) && kept <= version) this.drop(key);
    this.version = version > startedAt ? version : startedAt;
    this.listedAt = performance.now();
    this.failures = 0;
    this.firstList.resolve();
  }

  private async follow(signal: AbortSignal): Promise<void> {
    const { client, path, watchSeconds = 120 } = this.options;
    const query = { ...this.selector(), resourceVersion: String(this.version) };
    // Not all at the same moment, when several watches began together.
    const seconds = Math.ceil(watchSeconds * (0.8 + Math.random() * 0.4));
    for await (const { type, object } of client.watch(path, query, seconds, signal)) {
      if (type === 'ERROR') throw errorOfStatus((object as { code?: number }).code ?? 500, object, `watch ${path}`);
      const version = versionOf(object);
      if (type === 'DELETED') this.drop(keyOf(object));
      else if (type !== 'BOOKMARK') this.set(object, version);
      if (version > this.version) this.version = version;
      this.failures = 0;
    }
  }

  private set(object: KubernetesObject, version: bigint): void {
    const key = keyOf(object);
    const before = this.kept.get(key);
    if (before && before.version >= version) return;
    const value = this.options.keep(object);
    this.kept.set(key, { version, value });
    this.tell(key, value, before?.value);
  }

  private drop(key: string): void {
    const before = this.kept.get(key);
    if (!before) return;
    this.kept.delete(key);
    this.tell(key, undefined, before.value);
  }

  /** An error in who listens must not end the watch. */
  private tell(key: string, after: T | undefined, before: T | undefined): void {
    try {
      this.options.onChange(key, after, before);
    } catch (error) {
      this.options.log(`handling a change of ${key}: ${String(error)}`);
    }
  }

  private selector(): Query {
    const { labelSelector, fieldSelector } = this.options;
    return { ...(labelSelector ? { labelSelector } : {}), ...(fieldSelector ? { fieldSelector } : {}) };
  }
}

export function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`;
}

/** Versions of one collection are numbers that grow, as Kubernetes promises since 1.35 and etcd has always had it. */
function versionOf({ metadata }: KubernetesObject): bigint {
  return BigInt(metadata?.resourceVersion ?? '0');
}
