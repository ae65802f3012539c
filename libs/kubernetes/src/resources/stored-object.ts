import type { KubernetesObject } from '@kubernetes/client-node';
import type { Resource, ResourceKind } from '@caricature/reconciler';

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

/** A resource as it is remembered: text takes a fraction of the memory of the objects, and nobody can change it. */
export class RememberedResource {
  readonly finished: boolean;
  private readonly text: Buffer;

  constructor(kind: ResourceKind, object: StoredObject) {
    const resource = toResource(kind, object);
    this.finished = resource.status?.phase === 'Succeeded' || resource.status?.phase === 'Failed';
    this.text = Buffer.from(JSON.stringify(resource));
  }

  read(): Resource {
    return JSON.parse(this.text.toString()) as Resource;
  }
}
