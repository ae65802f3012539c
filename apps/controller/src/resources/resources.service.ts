import { isDeepStrictEqual } from 'node:util';
import { Inject, Injectable } from '@nestjs/common';
import { findKind, immutableChanges, InvalidResourceError, parseResource, type ResourceManifest, type ResourceOwner } from '@caricature/contracts';
import { AlreadyExistsError, type Database, type EventRow, type JsonObject, type ResourceHistoryRow, type ResourceRef, type ResourceRow } from '@caricature/database';
import { FINALIZER, toResource } from '@caricature/local';
import type { JobObservation, PodDriver, Resource } from '@caricature/reconciler';
import { ControllerError } from '../controller.error.js';
import { DATABASE, POD_DRIVER } from '../controller.tokens.js';

export interface Applied {
  result: 'created' | 'configured' | 'unchanged';
  resource: Resource;
}

/** Reads and writes the custom resources of a machine without an API server. */
@Injectable()
export class ResourcesService {
  constructor(
    @Inject(DATABASE) private readonly database: Database,
    @Inject(POD_DRIVER) private readonly driver: PodDriver,
  ) {}

  async list({ kind, namespace }: { kind?: string | undefined; namespace?: string | undefined }): Promise<{ items: Resource[] }> {
    const rows = await this.database.resources.list({ ...(kind ? { kind: kindOf(kind) } : {}), ...(namespace ? { namespace } : {}) });
    return { items: rows.map(toResource) };
  }

  async get(ref: ResourceRef): Promise<Resource> {
    return toResource(await this.row(ref));
  }

  /** @throws InvalidResourceError naming each field that is wrong, or that may not change any more. */
  async apply(document: unknown): Promise<Applied> {
    const manifest = parseResource(document);
    const ref = { kind: manifest.kind, namespace: manifest.metadata.namespace, name: manifest.metadata.name };
    const existing = (await this.database.resources.find(ref)) ?? (await this.create(ref, manifest));
    return 'result' in existing ? existing : this.update(ref, existing, manifest);
  }

  async delete(ref: ResourceRef): Promise<{ result: 'deleted' | 'deleting' }> {
    const left = await this.database.resources.delete({ ...ref, kind: kindOf(ref.kind) });
    return { result: left ? 'deleting' : 'deleted' };
  }

  async events(ref: ResourceRef): Promise<{ items: EventRow[] }> {
    return { items: await this.database.events.list((await this.row(ref)).uid) };
  }

  async history(ref: ResourceRef): Promise<{ items: ResourceHistoryRow[] }> {
    return { items: await this.database.resources.history((await this.row(ref)).uid) };
  }

  /** The log of one attempt: of the newest one unless told which. */
  async log(ref: ResourceRef, { stage, attempt }: { stage?: string | undefined; attempt?: number | undefined }): Promise<string> {
    const { kind, namespace, name, uid } = await this.row(ref);
    const owner = { kind, namespace, name, uid } as ResourceOwner;
    const jobs = (await this.driver.list(owner)).filter((job) => (!stage || job.stage === stage) && (!attempt || job.attempt === attempt));
    const newest = jobs.sort(byStart).at(-1);
    if (!newest) throw new ControllerError('NotFound', `${kind} ${name} has no attempt ${[stage, attempt].filter(Boolean).join(' ')} with a log: see its stages for what has run.`);
    return (await this.driver.log(owner, newest.name)) ?? '';
  }

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

  private row(ref: ResourceRef): Promise<ResourceRow> {
    return this.database.resources.get({ ...ref, kind: kindOf(ref.kind) });
  }
}

function kindOf(name: string): string {
  const kind = findKind(name);
  if (!kind) throw new ControllerError('InvalidRequest', `There is no kind ${name}: ask for CrawlJob or TrainingRun.`);
  return kind;
}

function metadataOf({ metadata }: ResourceManifest) {
  return { labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} };
}

function byStart(a: JobObservation, b: JobObservation): number {
  return (a.startTime ?? '').localeCompare(b.startTime ?? '') || a.attempt - b.attempt;
}

/** A plain copy without undefined values: what JSON columns hold. */
function asJson(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
