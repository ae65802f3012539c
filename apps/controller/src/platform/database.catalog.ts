import { isDeepStrictEqual } from 'node:util';
import { immutableChanges, InvalidResourceError, type ResourceManifest } from '@caricature/contracts';
import { AlreadyExistsError, type Database, type JsonObject, type ResourceRef, type ResourceRow } from '@caricature/database';
import { toResource } from '@caricature/local';
import { FINALIZER, isConflict, type Resource, type ResourceKey, type ResourceKind } from '@caricature/reconciler';
import { ControllerError } from '../controller.error.js';
import type { Applied, ResourceCatalog } from './platform.js';

const ATTEMPTS = 10;

/** The custom resources of a machine without an API server. */
export class DatabaseCatalog implements ResourceCatalog {
  constructor(private readonly database: Database) {}

  async list(filter: { kind?: ResourceKind; namespace?: string }): Promise<Resource[]> {
    return (await this.database.resources.list(filter)).map(toResource);
  }

  async find(key: ResourceKey): Promise<Resource | undefined> {
    const row = await this.database.resources.find(key);
    return row && toResource(row);
  }

  async apply(manifest: ResourceManifest): Promise<Applied> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.applyOnce(manifest);
      } catch (error) {
        // A status was written between reading and writing: nothing that a user had to know of.
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  private async applyOnce(manifest: ResourceManifest): Promise<Applied> {
    const ref = { kind: manifest.kind, namespace: manifest.metadata.namespace, name: manifest.metadata.name };
    const existing = (await this.database.resources.find(ref)) ?? (await this.create(ref, manifest));
    return 'result' in existing ? existing : this.update(ref, existing, manifest);
  }

  async delete(key: ResourceKey): Promise<boolean> {
    return (await this.database.resources.delete(key)) !== undefined;
  }

  /** Held from the start: deleting it first stops its processes. */
  private async create(ref: ResourceRef, manifest: ResourceManifest): Promise<Applied | ResourceRow> {
    const { labels, annotations } = metadataOf(manifest);
    try {
      const row = await this.database.resources.create({ ...ref, apiVersion: manifest.apiVersion, spec: asJson(manifest.spec), labels, annotations, finalizers: [FINALIZER] });
      return { result: 'created', resource: toResource(row) };
    } catch (error) {
      // Two users may apply the same new resource at once: the second one's is a change to the first one's.
      if (error instanceof AlreadyExistsError) return this.database.resources.get(ref);
      throw error;
    }
  }

  private async update(ref: ResourceRef, existing: ResourceRow, manifest: ResourceManifest): Promise<Applied> {
    if (existing.deletionTimestamp) throw new ControllerError('BeingDeleted', `${ref.kind} ${ref.name} is being deleted: apply it again when it is gone.`);
    const spec = asJson(manifest.spec);
    const changes = immutableChanges(toResource(existing).spec, spec as unknown as Resource['spec']);
    if (changes.length > 0) throw new InvalidResourceError(`${ref.kind} ${ref.name}`, changes.map((field) => ({ field, message: 'is immutable' })));
    const change = { spec, ...metadataOf(manifest) };
    if (isDeepStrictEqual(change, { spec: existing.spec, labels: existing.labels, annotations: existing.annotations })) return { result: 'unchanged', resource: toResource(existing) };
    const row = await this.database.resources.updateSpec(ref, { ...change, resourceVersion: existing.resourceVersion });
    return { result: 'configured', resource: toResource(row) };
  }
}

function metadataOf({ metadata }: ResourceManifest) {
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
}

/** A plain copy without undefined values: what JSON columns hold. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
