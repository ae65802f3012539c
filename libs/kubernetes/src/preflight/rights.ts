import type { V1SelfSubjectAccessReview } from '@kubernetes/client-node';
import type { KubernetesClient } from '../client/kubernetes.client.js';

/** A right that the controller needs, as in RBAC. */
export interface Right {
  group: string;
  resource: string;
  subresource?: string;
  verbs: string[];
  /** In the controller's own namespace, in each namespace that it works in, or in the whole cluster. */
  where: 'own' | 'worked' | 'cluster';
}

/** Everything that the controller does with the API server. The chart's roles say the same. */
export const RIGHTS: Right[] = [
  ...['crawljobs', 'trainingruns'].flatMap((resource): Right[] => [
    { group: 'caricature.dev', resource, verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], where: 'worked' },
    { group: 'caricature.dev', resource, subresource: 'status', verbs: ['update'], where: 'worked' },
    { group: 'caricature.dev', resource, subresource: 'finalizers', verbs: ['update'], where: 'worked' },
  ]),
  { group: 'batch', resource: 'jobs', verbs: ['get', 'list', 'watch', 'create', 'patch', 'delete'], where: 'worked' },
  { group: '', resource: 'pods', verbs: ['get', 'list', 'watch'], where: 'worked' },
  { group: '', resource: 'pods', subresource: 'log', verbs: ['get'], where: 'worked' },
  { group: '', resource: 'events', verbs: ['get', 'list', 'watch', 'create', 'patch'], where: 'worked' },
  { group: 'coordination.k8s.io', resource: 'leases', verbs: ['get', 'create', 'update'], where: 'own' },
  { group: 'authentication.k8s.io', resource: 'tokenreviews', verbs: ['create'], where: 'cluster' },
];

const REVIEW = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';

/** One verb of a right that the controller does not have. */
export interface MissingRight {
  verb: string;
  /** Such as `jobs.batch`. */
  resource: string;
  where: Right['where'];
  /** Undefined: in all namespaces. */
  namespace: string | undefined;
}

export async function missingRights(client: KubernetesClient, ownNamespace: string, namespaces: string[]): Promise<MissingRight[]> {
  const worked = namespaces.length > 0 ? namespaces : [undefined];
  const asked = RIGHTS.flatMap((right) => {
    const places = right.where === 'own' ? [ownNamespace] : right.where === 'cluster' ? [undefined] : worked;
    return places.flatMap((namespace) => right.verbs.map((verb) => ({ right, verb, namespace })));
  });
  const answers = await Promise.all(asked.map(async (question) => ({ question, allowed: await isAllowed(client, question) })));
  return answers.filter(({ allowed }) => !allowed).map(({ question: { right, verb, namespace } }) => {
    const resource = [right.subresource ? `${right.resource}/${right.subresource}` : right.resource, right.group].filter(Boolean).join('.');
    return { verb, resource, where: right.where, namespace };
  });
}

export async function isAllowed(client: KubernetesClient, { right, verb, namespace }: { right: Right; verb: string; namespace: string | undefined }): Promise<boolean> {
  const { group, resource, subresource } = right;
  const resourceAttributes = { group, resource, verb, ...(subresource ? { subresource } : {}), ...(namespace ? { namespace } : {}) };
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
  return (await client.ask<V1SelfSubjectAccessReview>(REVIEW, body)).status?.allowed === true;
}
