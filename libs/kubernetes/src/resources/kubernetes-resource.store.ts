import { API_VERSION } from '@caricature/contracts';
import { type Census, FINALIZER, type Resource, type ResourceEvent, type ResourceKey, type ResourceKind, type ResourceStatus, type ResourceStore } from '@caricature/reconciler';
import { resourcePath } from '../client/api-path.js';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';
import { Reflector, type ReflectorOptions } from '../watch/reflector.js';
import { EventRecorder } from './event-recorder.js';
import { RememberedResource, toResource, type StoredObject } from './stored-object.js';

export interface KubernetesResourceStoreOptions {
  client: KubernetesClient;
  /** The namespaces that are looked at; all when there are none. */
  namespaces: string[];
  log(line: string): void;
  watching?: Pick<ReflectorOptions<unknown>, 'watchSeconds' | 'relistMs' | 'onRestart'>;
}

const KINDS: ResourceKind[] = ['CrawlJob', 'TrainingRun'];

/** Resources in the API server. While `watch` runs they are read from a copy that follows it; before that, from the server itself. */
export class KubernetesResourceStore implements ResourceStore {
  private readonly copies = new Map<string, Reflector<RememberedResource>>();
  private readonly events: EventRecorder;

  constructor(private readonly options: KubernetesResourceStoreOptions) {
    this.events = new EventRecorder(options.client, options.log);
  }

  async find({ kind, namespace, name }: ResourceKey): Promise<Resource | undefined> {
    const copy = this.copyOf(kind, namespace);
    if (copy) return copy.get(`${namespace}/${name}`)?.read();
    const object = await this.options.client.find<StoredObject>(resourcePath(kind, namespace, name));
    return object && toResource(kind, object);
  }

  async list(kind: ResourceKind, namespace?: string, { unfinished = false } = {}): Promise<Resource[]> {
    const found: Resource[] = [];
    for (const at of namespace ? [namespace] : this.places()) {
      // To ask for everything while it is being listed would be to have it in memory at once.
      await this.followed(kind, at ?? '')?.synced;
      const copy = this.copyOf(kind, at ?? '');
      const resources = copy ? remembered(copy, unfinished) : await this.listFromServer(kind, at);
      found.push(...resources.filter((r) => (!namespace || r.metadata.namespace === namespace) && !(unfinished && isFinished(r))));
    }
    return found;
  }

  census(): Promise<Census> {
    const known = [...this.copies.values()].flatMap((copy) => [...copy.values()]);
    const unfinishedRuns = known.filter(({ summary, finished }) => summary.kind === 'TrainingRun' && !finished);
    return Promise.resolve({ all: known.map(({ summary }) => summary), unfinishedRuns: unfinishedRuns.map((kept) => kept.read()) });
  }

  async watch(onChange: (key: ResourceKey) => void, signal: AbortSignal): Promise<void> {
    const runs: Promise<void>[] = [];
    for (const kind of KINDS) {
      for (const namespace of this.places()) {
        const copy: Reflector<RememberedResource> = new Reflector<RememberedResource>({
          ...this.options.watching,
          client: this.options.client,
          path: resourcePath(kind, namespace),
          log: this.options.log,
          keep: (object) => new RememberedResource(kind, object),
          onChange: (_key, after, before) => {
            const { namespace: at, name } = (after ?? before)!.summary;
            if (copy.isSynced) onChange({ kind, namespace: at, name });
          },
        });
        this.copies.set(placeKey(kind, namespace), copy);
        runs.push(copy.run(signal));
        // Told of only when all are here: before that each would be asked for.
        void copy.synced.then(() => {
          if (!signal.aborted) for (const { summary } of copy.values()) onChange({ kind, namespace: summary.namespace, name: summary.name });
        });
      }
    }
    await Promise.all(runs);
    this.copies.clear();
    await this.events.flush();
  }

  /** @throws KubernetesError `Conflict` when the resource was changed since it was read */
  async updateStatus({ kind, metadata }: Resource, status: ResourceStatus): Promise<void> {
    const { namespace, name, uid, resourceVersion } = metadata;
    const body = { apiVersion: API_VERSION, kind, metadata: { namespace, name, uid, resourceVersion }, status };
    try {
      const written = await this.options.client.update<StoredObject>(`${resourcePath(kind, namespace, name)}/status`, body);
      this.copyOf(kind, namespace)?.put(written);
    } catch (error) {
      // Deleted meanwhile: there is nobody left to tell.
      if (!isKubernetesError(error, 'NotFound')) throw error;
    }
  }

  recordEvent(resource: Resource, event: ResourceEvent): Promise<void> {
    this.events.record(resource, event);
    return Promise.resolve();
  }

  /** Of resources here only those hold one whose artifacts go with them: Kubernetes itself removes what they own. */
  async addFinalizer({ kind, metadata }: Resource): Promise<void> {
    const { namespace, name, resourceVersion, finalizers = [] } = metadata;
    if (!finalizers.includes(FINALIZER)) await this.merge(kind, namespace, name, { metadata: { resourceVersion, finalizers: [...finalizers, FINALIZER] } });
  }

  async removeFinalizer({ kind, metadata }: Resource): Promise<void> {
    const { namespace, name, resourceVersion, finalizers = [] } = metadata;
    if (!finalizers.includes(FINALIZER)) return;
    await this.merge(kind, namespace, name, { metadata: { resourceVersion, finalizers: finalizers.filter((f) => f !== FINALIZER) } });
  }

  /** Background deletion of this very resource, not of one that took its name since. */
  async delete({ kind, metadata: { namespace, name, uid } }: Resource): Promise<void> {
    await this.options.client.delete(resourcePath(kind, namespace, name), { preconditions: { uid } }).catch((error: unknown) => {
      if (!isKubernetesError(error, 'NotFound')) throw error;
    });
  }

  private async merge(kind: ResourceKind, namespace: string, name: string, change: object): Promise<void> {
    const object = await this.options.client.merge<StoredObject>(resourcePath(kind, namespace, name), change).catch((error: unknown) => {
      if (!isKubernetesError(error, 'NotFound')) throw error;
      return undefined;
    });
    if (object && !object.metadata?.deletionTimestamp) this.copyOf(kind, namespace)?.put(object);
  }

  private async listFromServer(kind: ResourceKind, namespace: string | undefined): Promise<Resource[]> {
    const { items } = await this.options.client.list<StoredObject>(resourcePath(kind, namespace));
    return items.map((item) => toResource(kind, item));
  }

  private places(): (string | undefined)[] {
    return this.options.namespaces.length > 0 ? this.options.namespaces : [undefined];
  }

  private copyOf(kind: ResourceKind, namespace: string): Reflector<RememberedResource> | undefined {
    const copy = this.followed(kind, namespace);
    return copy?.isSynced ? copy : undefined;
  }

  /** The copy, though it may not be complete yet; undefined while nothing is watched. */
  private followed(kind: ResourceKind, namespace: string): Reflector<RememberedResource> | undefined {
    return this.copies.get(placeKey(kind, this.options.namespaces.length > 0 ? namespace : undefined));
  }
}

function placeKey(kind: ResourceKind, namespace: string | undefined): string {
  return `${kind} ${namespace ?? '*'}`;
}

function remembered(copy: Reflector<RememberedResource>, unfinished: boolean): Resource[] {
  return [...copy.values()].flatMap((kept) => (unfinished && kept.finished ? [] : [kept.read()]));
}

function isFinished({ status }: Resource): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
