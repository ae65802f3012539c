import { callApi } from './api.mjs';

const NODE = '/api/v1/nodes/node1';

/**
 * Makes the node advertise GPUs, as a device plugin would: the scheduler counts and places by them. There is no such device: what a pod
 * computes there, it computes on the CPU. A kubelet that starts again forgets them, so this is repeated.
 */
export async function keepGpus(access, count) {
  const { status } = await callApi(access, 'GET', NODE);
  const wanted = String(count);
  if (['capacity', 'allocatable'].every((field) => status[field]?.['nvidia.com/gpu'] === wanted)) return;
  const patch = ['capacity', 'allocatable'].map((field) => ({ op: 'add', path: `/status/${field}/nvidia.com~1gpu`, value: wanted }));
  await callApi(access, 'PATCH', `${NODE}/status`, patch, 'application/json-patch+json');
}
