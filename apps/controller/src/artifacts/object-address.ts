import type { ArtifactStore } from '@caricature/artifacts';
import { ControllerError } from '../controller.error.js';

/**
 * The name of an object in the store, from the address that a worker reported. The store itself refuses names that leave its root.
 * @throws ControllerError when the address lies elsewhere.
 */
export function objectNameOf(uri: string, store: Pick<ArtifactStore, 'uri'>): string {
  const root = `${store.uri.replace(/\/+$/, '')}/`;
  if (!uri.startsWith(root)) throw new ControllerError('NotFound', 'It lies outside the artifact store that this controller uses.');
  return uri.slice(root.length);
}
