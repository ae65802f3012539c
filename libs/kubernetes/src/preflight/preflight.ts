import type { KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';
import { definitionProblems } from './definitions.js';
import { missingRights } from './rights.js';

/** Everything that keeps a controller from working on this cluster, in words that say what to do; empty when it can. */
export async function clusterProblems(client: KubernetesClient, ownNamespace: string, namespaces: string[]): Promise<string[]> {
  try {
    await client.get('/version');
    const [definitions, rights] = await Promise.all([definitionProblems(client), missingRights(client, ownNamespace, namespaces)]);
    const missing = rights.map((right) => `a right is missing: ${right}: grant it to the controller's ServiceAccount (the chart's roles list them all)`);
    return [...definitions, ...missing];
  } catch (error) {
    if (isKubernetesError(error)) return [error.message];
    throw error;
  }
}
