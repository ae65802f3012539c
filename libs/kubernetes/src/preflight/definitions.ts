import type { V1CustomResourceDefinition } from '@kubernetes/client-node';
import { renderCrds, type CustomResourceDefinition } from '@caricature/contracts';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { isKubernetesError } from '../client/kubernetes.error.js';

interface Schema {
  properties?: Record<string, Schema>;
  items?: Schema | Schema[] | object;
  additionalProperties?: Schema | boolean | object;
}

const MEND = 'apply the files of crds/ of this version (kubectl apply --server-side -f crds/)';
const SHOWN = 8;

/** What is wrong with the CustomResourceDefinitions: absent, not served, or older than this controller. */
export async function definitionProblems(client: KubernetesClient): Promise<string[]> {
  return (await Promise.all(renderCrds().map((wanted) => problemOf(client, wanted)))).filter((problem) => problem !== undefined);
}

async function problemOf(client: KubernetesClient, wanted: CustomResourceDefinition): Promise<string | undefined> {
  const { name } = wanted.metadata;
  const found = await find(client, wanted);
  if (found === 'unreadable') return undefined;
  if (!found) return `CustomResourceDefinition ${name} is not there: ${MEND}`;
  const version = wanted.spec.versions[0]!;
  const served = found.spec.versions.find((v) => v.name === version.name && v.served);
  if (!served) return `CustomResourceDefinition ${name} does not serve ${version.name}: ${MEND}`;
  const known = new Set(fieldsOf(served.schema?.openAPIV3Schema as Schema));
  const missing = fieldsOf(version.schema.openAPIV3Schema as Schema).filter((field) => !known.has(field));
  if (missing.length === 0) return undefined;
  const rest = missing.length > SHOWN ? ` and ${missing.length - SHOWN} more` : '';
  return `CustomResourceDefinition ${name} is older than this controller, it lacks ${missing.slice(0, SHOWN).join(', ')}${rest}: ${MEND}`;
}

/** Without the right to read definitions it is only seen whether the kind is served at all. */
async function find(client: KubernetesClient, { metadata, spec }: CustomResourceDefinition): Promise<V1CustomResourceDefinition | 'unreadable' | undefined> {
  try {
    return await client.find<V1CustomResourceDefinition>(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`);
  } catch (error) {
    if (!isKubernetesError(error, 'Forbidden')) throw error;
    const group = await client.find<{ resources: { name: string }[] }>(`/apis/${spec.group}/${spec.versions[0]!.name}`);
    return group?.resources.some((r) => r.name === spec.names.plural) ? 'unreadable' : undefined;
  }
}

/** The paths of all fields of a schema, `spec.train.steps`. */
function fieldsOf(schema: Schema | undefined, path = ''): string[] {
  if (!schema) return [];
  const own = Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const at = path ? `${path}.${name}` : name;
    return [at, ...fieldsOf(child, at)];
  });
  const items = typeof schema.items === 'object' && !Array.isArray(schema.items) ? fieldsOf(schema.items as Schema, `${path}[]`) : [];
  const values = typeof schema.additionalProperties === 'object' ? fieldsOf(schema.additionalProperties as Schema, `${path}{}`) : [];
  return [...own, ...items, ...values];
}
