import { isDeepStrictEqual } from 'node:util';
import { immutableChanges, InvalidResourceError, type ResourceManifest } from '@caricature/contracts';
import type { Resource, ResourceKey, ResourceKind } from '@caricature/reconciler';
import { resourcePath } from '../client/api-path.js';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError, type KubernetesError } from '../client/kubernetes.error.js';
import { toResource, type StoredObject } from './stored-object.js';

export interface KubernetesCatalogOptions {
  client: KubernetesClient;
  namespaces: string[];
}

/** The resources of the API server as the HTTP API shows and changes them: always the newest, from whichever replica. */
export class KubernetesCatalog {
  constructor(private readonly options: KubernetesCatalogOptions) {}

  async list({ kind, namespace }: { kind?: ResourceKind; namespace?: string }): Promise<Resource[]> {
    const kinds: ResourceKind[] = kind ? [kind] : ['CrawlJob', 'TrainingRun'];
    const places = namespace ? [namespace] : this.options.namespaces.length > 0 ? this.options.namespaces : [undefined];
    const pages = await Promise.all(kinds.flatMap((k) => places.map(async (at) => (await this.options.client.list<StoredObject>(resourcePath(k, at))).items.map((item) => toResource(k, item)))));
    return pages.flat().sort((a, b) => a.metadata.creationTimestamp.localeCompare(b.metadata.creationTimestamp));
  }

  async find({ kind, namespace, name }: ResourceKey): Promise<Resource | undefined> {
    const object = await this.options.client.find<StoredObject>(resourcePath(kind, namespace, name));
    return object && toResource(kind, object);
  }

  /** @throws InvalidResourceError naming each field that the API server refuses, or that may not change any more */
  async apply(manifest: ResourceManifest): Promise<{ result: 'created' | 'configured' | 'unchanged'; resource: Resource }> {
    const { kind, metadata } = manifest;
    const existing = await this.find({ kind, namespace: metadata.namespace, name: metadata.name });
    if (!existing) return { result: 'created', resource: await this.write(manifest, (path) => this.options.client.create(path, manifest), resourcePath(kind, metadata.namespace)) };
    const changes = immutableChanges(existing.spec, manifest.spec);
    if (changes.length > 0) throw new InvalidResourceError(`${kind} ${metadata.name}`, changes.map((field) => ({ field, message: 'is immutable' })));
    const change = changeBetween(existing, manifest);
    if (!change) return { result: 'unchanged', resource: existing };
    return { result: 'configured', resource: await this.write(manifest, (path) => this.options.client.merge(path, change), resourcePath(kind, metadata.namespace, metadata.name)) };
  }

  /** False when it is gone already. */
  async delete({ kind, namespace, name }: ResourceKey): Promise<boolean> {
    const path = resourcePath(kind, namespace, name);
    await this.options.client.delete(path, { propagationPolicy: 'Background' });
    return (await this.options.client.find(path)) !== undefined;
  }

  private async write({ kind, metadata }: ResourceManifest, write: (path: string) => Promise<object>, path: string): Promise<Resource> {
    try {
      return toResource(kind, (await write(path)) as StoredObject);
    } catch (error) {
      if (isKubernetesError(error, 'Invalid')) throw invalidResource(`${kind} ${metadata.name}`, error);
      throw error;
    }
  }
}

/** A merge patch, with null for what is no longer given; undefined when nothing differs. */
function changeBetween(existing: Resource, { spec, metadata }: ResourceManifest): object | undefined {
  const wanted = JSON.parse(JSON.stringify({ spec, labels: metadata.labels ?? {}, annotations: metadata.annotations ?? {} })) as Record<'spec' | 'labels' | 'annotations', Record<string, unknown>>;
  const { labels = {}, annotations = {} } = existing.metadata;
  if (isDeepStrictEqual(wanted, { spec: existing.spec, labels, annotations })) return undefined;
  const dropped = (before: object, after: object) => Object.fromEntries(Object.keys(before).filter((name) => !(name in after)).map((name) => [name, null]));
  return {
    metadata: { labels: { ...dropped(labels, wanted.labels), ...wanted.labels }, annotations: { ...dropped(annotations, wanted.annotations), ...wanted.annotations } },
    spec: { ...dropped(existing.spec, wanted.spec), ...wanted.spec },
  };
}

/** The API server's refusal in the words of `parseResource`. */
export function invalidResource(subject: string, error: KubernetesError): InvalidResourceError {
  const causes = error.details.causes ?? [];
  const fields = causes.map(({ field = '', message = '' }) => ({ field, message: message.replace(/^Invalid value: .*?: (?=[^:]+$)/s, '') }));
  return new InvalidResourceError(subject, fields.length > 0 ? fields : [{ field: '', message: error.message }]);
}
