import { chmod, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { callApi } from './api.mjs';

/** The cluster's default: a claim gets a folder of the node. */
export const STORAGE_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'folder', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner: 'caricature.dev/folder',
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'Immediate',
};

const VOLUMES = '/api/v1/persistentvolumes';

/** Gives each claim that waits a volume, and removes the volumes whose claim is gone. */
export async function keepVolumes(access, folder) {
  const [claims, volumes] = await Promise.all([callApi(access, 'GET', '/api/v1/persistentvolumeclaims'), callApi(access, 'GET', VOLUMES)]);
  const ours = volumes.items.filter(({ spec }) => spec.storageClassName === STORAGE_CLASS.metadata.name);
  const names = new Set(ours.map(({ metadata }) => metadata.name));
  for (const claim of claims.items) {
    const name = `folder-${claim.metadata.uid}`;
    if (claim.spec.storageClassName === STORAGE_CLASS.metadata.name && claim.status.phase === 'Pending' && !names.has(name)) await provide(access, folder, claim, name);
  }
  for (const volume of ours) if (volume.status.phase === 'Released') await remove(access, volume);
}

async function provide(access, folder, { metadata, spec }, name) {
  const place = path.join(folder, name);
  await mkdir(place, { recursive: true });
  // A folder of the node keeps its owner whatever fsGroup a pod asks for: any user may write.
  await chmod(place, 0o777);
  await callApi(access, 'POST', VOLUMES, {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: spec.resources.requests,
      accessModes: spec.accessModes,
      storageClassName: spec.storageClassName,
      // Removed by us: Kubernetes itself deletes no folder of a node.
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: place, type: 'Directory' },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: metadata.namespace, name: metadata.name, uid: metadata.uid },
    },
  });
}

async function remove(access, { metadata, spec }) {
  await rm(spec.hostPath.path, { recursive: true, force: true });
  await callApi(access, 'DELETE', `${VOLUMES}/${metadata.name}`);
}
