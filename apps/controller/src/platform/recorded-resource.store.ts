import type { Database, JsonObject } from '@caricature/database';
import type { Census, Resource, ResourceEvent, ResourceKey, ResourceKind, ResourceStatus, ResourceStore } from '@caricature/reconciler';

/** Keeps in Postgres what a cluster forgets: the transitions of its resources, and their events. So a run has the same history everywhere. */
export class RecordedResourceStore implements ResourceStore {
  constructor(
    private readonly inner: ResourceStore,
    private readonly database: Database,
  ) {}

  find(key: ResourceKey): Promise<Resource | undefined> {
    return this.inner.find(key);
  }

  list(kind: ResourceKind, namespace?: string, filter?: { unfinished?: boolean }): Promise<Resource[]> {
    return this.inner.list(kind, namespace, filter);
  }

  census(): Promise<Census> {
    return this.inner.census();
  }

  watch(onChange: (key: ResourceKey) => void, signal: AbortSignal): Promise<void> {
    return this.inner.watch(onChange, signal);
  }

  async updateStatus(resource: Resource, status: ResourceStatus): Promise<void> {
    const { phase, observedGeneration } = resource.status ?? {};
    // What a user did comes before what came of it.
    if (observedGeneration !== resource.metadata.generation) await this.observe(resource, resource.status);
    await this.inner.updateStatus(resource, status);
    if (phase !== status.phase) await this.observe(resource, status);
  }

  async recordEvent(resource: Resource, event: ResourceEvent): Promise<void> {
    await this.inner.recordEvent(resource, event);
    await this.database.events.record({ resourceUid: resource.metadata.uid, ...event });
  }

  addFinalizer(resource: Resource): Promise<void> {
    return this.inner.addFinalizer(resource);
  }

  removeFinalizer(resource: Resource): Promise<void> {
    return this.inner.removeFinalizer(resource);
  }

  delete(resource: Resource): Promise<void> {
    return this.inner.delete(resource);
  }

  private observe({ kind, metadata, spec }: Resource, status: ResourceStatus | undefined): Promise<void> {
    const { uid, namespace, name, generation } = metadata;
    const json = (value: object): JsonObject => JSON.parse(JSON.stringify(value)) as JsonObject;
    return this.database.resources.observe({ uid, kind, namespace, name, generation, spec: json(spec), status: status ? json(status) : null });
  }
}
