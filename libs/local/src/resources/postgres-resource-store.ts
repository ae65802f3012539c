import type { Database, JsonObject, ResourceRow } from '@caricature/database';
import { type Census, FINALIZER, type Resource, type ResourceEvent, type ResourceKey, type ResourceKind, type ResourceStatus, type ResourceStore } from '@caricature/reconciler';

/** Resources in Postgres: what an API server is on a cluster. */
export class PostgresResourceStore implements ResourceStore {
  constructor(private readonly database: Database) {}

  async find(key: ResourceKey): Promise<Resource | undefined> {
    const row = await this.database.resources.find(key);
    return row && toResource(row);
  }

  async list(kind: ResourceKind, namespace?: string, { unfinished = false } = {}): Promise<Resource[]> {
    const resources = (await this.database.resources.list({ kind, ...(namespace ? { namespace } : {}) })).map(toResource);
    return unfinished ? resources.filter((resource) => !isFinished(resource)) : resources;
  }

  async census(): Promise<Census> {
    const resources = (await this.database.resources.list()).map(toResource);
    const all = resources.map((resource) => ({ ...keyOf(resource), uid: resource.metadata.uid, phase: resource.status?.phase ?? 'Pending' }));
    return { all, unfinishedRuns: resources.filter((resource) => resource.kind === 'TrainingRun' && !isFinished(resource)) };
  }

  async watch(onChange: (key: ResourceKey) => void, signal: AbortSignal): Promise<void> {
    for await (const { resource } of this.database.resources.watch({ signal })) {
      onChange({ kind: resource.kind as ResourceKind, namespace: resource.namespace, name: resource.name });
    }
  }

  async updateStatus(resource: Resource, status: ResourceStatus): Promise<void> {
    await this.database.resources.updateStatus(keyOf(resource), asJson(status), { resourceVersion: resource.metadata.resourceVersion });
  }

  async recordEvent(resource: Resource, event: ResourceEvent): Promise<void> {
    await this.database.events.record({ resourceUid: resource.metadata.uid, ...event });
  }

  async addFinalizer(resource: Resource): Promise<void> {
    const { finalizers = [], resourceVersion } = resource.metadata;
    if (!finalizers.includes(FINALIZER)) await this.database.resources.updateFinalizers(keyOf(resource), [...finalizers, FINALIZER], { resourceVersion });
  }

  async removeFinalizer(resource: Resource): Promise<void> {
    await this.database.resources.updateFinalizers(keyOf(resource), (resource.metadata.finalizers ?? []).filter((f) => f !== FINALIZER));
  }

  async delete(resource: Resource): Promise<void> {
    await this.database.resources.delete(keyOf(resource));
  }
}

function keyOf({ kind, metadata: { namespace, name } }: Resource): ResourceKey {
  return { kind, namespace, name };
}

export function toResource(row: ResourceRow): Resource {
  return {
    apiVersion: row.apiVersion,
    kind: row.kind,
    metadata: {
      name: row.name,
      namespace: row.namespace,
      uid: row.uid,
      generation: row.generation,
      resourceVersion: row.resourceVersion,
      creationTimestamp: row.createdAt.toISOString(),
      ...(row.deletionTimestamp ? { deletionTimestamp: row.deletionTimestamp.toISOString() } : {}),
      finalizers: row.finalizers,
      labels: row.labels,
      annotations: row.annotations,
    },
    spec: row.spec,
    ...(row.status ? { status: row.status } : {}),
  } as unknown as Resource;
}

/** A plain copy without undefined values: what JSON columns hold. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

function isFinished({ status }: Resource): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}
