import { renderCrds } from '@caricature/contracts';
import type { V1CustomResourceDefinition } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startControlPlane } from '../../../../test/cluster/control-plane.mjs';
import type { KubernetesClient } from '../client/kubernetes.client.js';
import { TestCluster } from '../testing/test-cluster.js';
import { inspectCluster, openNamespaces } from './preflight.js';
import { RIGHTS, type Right } from './rights.js';

const RUNS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/trainingruns.caricature.dev';

describe('a controller on a cluster', () => {
  let cluster: TestCluster;
  let own: string;
  let worked: string;

  beforeAll(async () => {
    cluster = new TestCluster(await startControlPlane());
    [own, worked] = [await cluster.namespace(), await cluster.namespace()];
  }, 180_000);
  afterAll(() => cluster?.stop());

  const problemsOf = async (client: KubernetesClient) => (await inspectCluster(client, own, [worked])).problems;
  const resourceOf = ({ resource, subresource }: Right) => (subresource ? `${resource}/${subresource}` : resource);

  it('without the definitions says which are missing, and the command that brings them', async () => {
    expect(await problemsOf(cluster.client)).toEqual(['crawljobs', 'trainingruns'].map((plural) => expect.stringMatching(new RegExp(`${plural}\\.caricature\\.dev is not there: .*kubectl apply --server-side -f crds/`))));
    await cluster.installDefinitions();
    expect(await problemsOf(cluster.client)).toEqual([]);
  }, 60_000);

  it('with definitions of an older release names the fields that they lack', async () => {
    const current = renderCrds().find(({ metadata }) => metadata.name.startsWith('trainingruns'))!;
    const older = structuredClone(current);
    const { properties } = older.spec.versions[0]!.schema.openAPIV3Schema;
    delete properties!['spec']!.properties!['seed'];
    const rules = properties!['spec']!['x-kubernetes-validations']!;
    properties!['spec']!['x-kubernetes-validations'] = rules.filter(({ rule }) => !rule.includes('self.seed'));
    delete properties!['status']!.properties!['samples'];
    const put = async (definition: object) => {
      const { metadata } = await cluster.client.get<V1CustomResourceDefinition>(RUNS);
      await cluster.client.update(RUNS, { ...definition, metadata: { name: 'trainingruns.caricature.dev', resourceVersion: metadata!.resourceVersion } });
    };
    await put(older);
    expect(await problemsOf(cluster.client)).toEqual([expect.stringMatching(/older than this controller, it lacks spec\.seed, status\.samples, status\.samples\[\]\.step/)]);
    await put(current);
    expect(await problemsOf(cluster.client)).toEqual([]);
  });

  it('without rights names each missing verb, and is content with just those that it asks for', async () => {
    await cluster.kubectl('-n', own, 'create', 'serviceaccount', 'controller');
    const client = cluster.clientOf({ token: (await cluster.kubectl('-n', own, 'create', 'token', 'controller')).trim() });
    const missing = (await problemsOf(client)).filter((problem) => problem.startsWith('a right is missing'));
    const expected = RIGHTS.flatMap((right) => right.verbs.map((verb) => {
      const where = right.where === 'cluster' ? 'in all namespaces' : `in namespace ${right.where === 'own' ? own : worked}`;
      return `a right is missing: ${verb} ${[resourceOf(right), right.group].filter(Boolean).join('.')} ${where}: grant it`;
    }));
    expect(missing.map((problem) => problem.slice(0, problem.indexOf(' to the controller')))).toEqual(expected);

    await grant(RIGHTS);
    expect(await problemsOf(client)).toEqual([]);

    const lacking = await cluster.namespace();
    expect(await inspectCluster(client, own, ['never-was', worked])).toEqual({ problems: [], usable: [worked], without: [expect.stringContaining('namespace never-was is gone')] });
    expect(await openNamespaces(client, ['never-was', worked])).toEqual([worked]);
    // One right there is no accident: somebody means the controller to work there.
    await grant(RIGHTS.filter(({ where }) => where === 'worked').slice(0, 1), { worked: lacking });
    const { problems, usable } = await inspectCluster(client, own, [lacking, worked]);
    expect(problems).toContainEqual(expect.stringContaining(`create jobs.batch in namespace ${lacking}`));
    expect(usable).toEqual([lacking, worked]);
  }, 60_000);

  it('that cannot reach the API server, or is not known to it, says so', async () => {
    expect(await problemsOf(cluster.clientOf({ url: 'https://127.0.0.1:1' }))).toEqual([expect.stringContaining('the API server does not answer')]);
    expect(await problemsOf(cluster.clientOf({ token: 'unknown' }))).toEqual([expect.stringContaining('the credentials are not accepted')]);
  });

  /** Gives the account exactly these rights. */
  async function grant(rights: Right[], places: Record<string, string | undefined> = { own, worked, cluster: undefined }): Promise<void> {
    for (const [where, namespace] of Object.entries(places)) {
      const rules = rights.filter((right) => right.where === where).map((right) => ({ apiGroups: [right.group], resources: [resourceOf(right)], verbs: right.verbs }));
      const kind = namespace ? 'Role' : 'ClusterRole';
      const path = `/apis/rbac.authorization.k8s.io/v1/${namespace ? `namespaces/${namespace}/` : ''}`;
      const plural = (name: string) => `${path}${namespace ? name : `cluster${name}`}`;
      await cluster.client.create(plural('roles'), { apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name: 'controller' }, rules });
      await cluster.client.create(plural('rolebindings'), {
        apiVersion: 'rbac.authorization.k8s.io/v1', kind: `${kind}Binding`, metadata: { name: 'controller' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'controller' }, subjects: [{ kind: 'ServiceAccount', name: 'controller', namespace: own }],
      });
    }
  }
});
