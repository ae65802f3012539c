import type { KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';
import { definitionProblems } from './definitions.js';
import { isAllowed, missingRights, RIGHTS, type MissingRight } from './rights.js';

/** What a controller finds before it begins. */
export interface Preflight {
  /** What keeps it from working on this cluster, in words that say what to do; none when it can. */
  problems: string[];
  /** Of the namespaces that it is to work in, those that it can. */
  usable: string[];
  /** Why it does without the others: a namespace that was deleted must not keep it from those that are there. */
  without: string[];
}

/** Looks at everything that a controller needs of a cluster. No namespaces: all of them, by one grant. */
export async function inspectCluster(client: KubernetesClient, ownNamespace: string, namespaces: string[]): Promise<Preflight> {
  try {
    await client.get('/version');
    const [definitions, missing] = await Promise.all([definitionProblems(client), missingRights(client, ownNamespace, namespaces)]);
    const closed = namespaces.filter((namespace) => isClosed(namespace, missing));
    // Of the only ones there are, it is to be said in full what is missing.
    const left = closed.length < namespaces.length ? closed : [];
    const problems = missing.filter(({ namespace }) => !namespace || !left.includes(namespace)).map(wordsOf);
    return { problems: [...definitions, ...problems], usable: namespaces.filter((namespace) => !left.includes(namespace)), without: left.map(closedWords) };
  } catch (error) {
    if (isKubernetesError(error)) return { problems: [error.message], usable: [], without: [] };
    throw error;
  }
}

/** Those of the namespaces in which the controller may look at resources: cheap enough to be asked again and again. */
export async function openNamespaces(client: KubernetesClient, namespaces: string[]): Promise<string[]> {
  const right = RIGHTS.find(({ resource }) => resource === 'trainingruns')!;
  const answers = await Promise.all(namespaces.map((namespace) => isAllowed(client, { right, verb: 'list', namespace })));
  return namespaces.filter((_, i) => answers[i]);
}

/** None of the rights is there: the namespace is gone with its roles, or nobody has let the controller in. */
function isClosed(namespace: string, missing: MissingRight[]): boolean {
  const all = RIGHTS.filter(({ where }) => where === 'worked').reduce((count, { verbs }) => count + verbs.length, 0);
  return missing.filter((right) => right.where === 'worked' && right.namespace === namespace).length === all;
}

function wordsOf({ verb, resource, namespace }: MissingRight): string {
  return `a right is missing: ${verb} ${resource} ${namespace ? `in namespace ${namespace}` : 'in all namespaces'}: grant it to the controller's ServiceAccount (the chart's roles list them all)`;
}

function closedWords(namespace: string): string {
  return `namespace ${namespace} is gone, or no role lets the controller work in it: make it and run helm upgrade, or take it out of the chart's namespaces`;
}
