import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Resource, ResourceKind, ResourceSummary } from '@caricature/reconciler';

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** A custom resource as the API server gives it. */
export interface StoredObject extends KubernetesObject {
  spec?: object;
  status?: object;
}

/** The resource, without what only the API server and kubectl need. */
export function toResource(kind: ResourceKind, object: StoredObject): Resource {
  const { name, namespace, uid, generation, resourceVersion, creationTimestamp, deletionTimestamp, finalizers, labels, annotations } = object.metadata ?? {};
  const { [LAST_APPLIED]: _, ...notes } = annotations ?? {};
  return {
    apiVersion: object.apiVersion,
    kind,
    metadata: {
      name, namespace, uid, generation, resourceVersion, creationTimestamp,
      ...(deletionTimestamp ? { deletionTimestamp } : {}),
      finalizers: finalizers ?? [],
      labels: labels ?? {},
      annotations: notes,
    },
    spec: object.spec,
    // A status that nobody has written yet has no phase.
    ...(object.status && 'phase' in object.status ? { status: object.status } : {}),
  } as unknown as Resource;
}

/**
 * A resource as it is remembered: text takes a fraction of the memory of the objects, and nobody can change it. That of finished resources, which
 * may be very many and are seldom read, is compressed.
 */
export class RememberedResource {
  readonly summary: ResourceSummary;
  private readonly text: string;

  constructor(kind: ResourceKind, object: StoredObject) {
    const resource = toResource(kind, object);
    this.summary = summaryOf(resource);
    const text = JSON.stringify(resource);
    // A string takes just its bytes, where a Buffer holds on to the much larger one that it was cut from.
    this.text = this.finished ? deflateRawSync(text, { level: 1 }).toString('latin1') : text;
  }

  get finished(): boolean {
    return this.summary.phase === 'Succeeded' || this.summary.phase === 'Failed';
  }

  read(): Resource {
    const text = this.finished ? inflateRawSync(Buffer.from(this.text, 'latin1')).toString() : this.text;
    return JSON.parse(text) as Resource;
  }
}

function summaryOf({ kind, metadata: { namespace, name, uid }, status }: Resource): ResourceSummary {
  return { kind, namespace, name, uid, phase: status?.phase ?? 'Pending' };
}
