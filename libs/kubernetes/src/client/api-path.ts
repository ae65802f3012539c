import { API_VERSION, KIND_NAMES, type Kind } from '@caricature/contracts';

/** Where the API server keeps objects of one kind: of a namespace, or of all. */
function collection(base: string, plural: string): (namespace?: string, name?: string) => string {
  return (namespace, name) => [base, ...(namespace ? [`namespaces/${encodeURIComponent(namespace)}`] : []), plural, ...(name ? [encodeURIComponent(name)] : [])].join('/');
}

export const jobPath = collection('/apis/batch/v1', 'jobs');
export const podPath = collection('/api/v1', 'pods');
export const eventPath = collection('/api/v1', 'events');
export const leasePath = collection('/apis/coordination.k8s.io/v1', 'leases');

/** The plural by which the API server knows a kind. */
export function pluralOf(kind: Kind): string {
  return KIND_NAMES[kind][1]!;
}

export function resourcePath(kind: Kind, namespace?: string, name?: string): string {
  return collection(`/apis/${API_VERSION}`, pluralOf(kind))(namespace, name);
}
