// Where everything is measured: an API server with its etcd and no controllers but those under measurement, and a PostgreSQL.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startControlPlane } from '../../test/cluster/control-plane.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const LIBS = path.join(ROOT, 'dist/libs');
const { startEmbeddedPostgres } = await import(`${LIBS}/local/src/index.js`);
const { Connection, KubernetesClient, loadKubeConfig } = await import(`${LIBS}/kubernetes/src/index.js`);
const { loadYaml } = await import('@kubernetes/client-node');

/** Requests that this program has under way at a time. */
const AT_ONCE = 32;

export const GROUP_PATH = '/apis/caricature.dev/v1alpha1';

export class Place {
  /** @param {{folder: string, log: (line: string) => void}} options `folder` is a temporary one, removed by whoever made it */
  static async open({ folder, log }) {
    const place = new Place();
    try {
      place.plane = await startControlPlane({ folder: path.join(folder, 'plane'), log });
      place.postgres = await startEmbeddedPostgres({ dataDir: path.join(folder, 'postgres'), log: () => {} });
      place.postmaster = Number((await readFile(path.join(folder, 'postgres/cluster/postmaster.pid'), 'utf8')).split('\n')[0]);
      place.connection = new Connection(() => loadKubeConfig(place.plane.kubeconfig));
      place.client = new KubernetesClient({ connection: place.connection });
      await place.installDefinitions();
      return place;
    } catch (error) {
      await place.close();
      throw error;
    }
  }

  async close() {
    await this.connection?.close();
    await this.postgres?.stop();
    await this.plane?.stop();
  }

  async installDefinitions() {
    for (const name of ['crawljobs', 'trainingruns']) {
      const definition = loadYaml(await readFile(path.join(ROOT, `crds/${name}.caricature.dev.yaml`), 'utf8'));
      await this.client.create('/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition);
      await until(`${name} are served`, () => this.client.list(`${GROUP_PATH}/${name}`).then(() => true, () => false));
    }
  }

  /** A namespace with the account that workers have. */
  async createNamespace(name) {
    await this.client.create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await this.client.create(`/api/v1/namespaces/${name}/serviceaccounts`, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'caricature-worker' } });
  }

  /** Removes what was measured in a namespace, so that the next turn finds the API server as it was. */
  async empty(namespace) {
    for (const path of [runsPath(namespace), jobsPath(namespace), `/api/v1/namespaces/${namespace}/events`]) await this.client.delete(path, {});
  }
}

export const runsPath = (namespace) => `${GROUP_PATH}/namespaces/${namespace}/trainingruns`;
export const jobsPath = (namespace) => `/apis/batch/v1/namespaces/${namespace}/jobs`;
export const podsPath = (namespace) => `/api/v1/namespaces/${namespace}/pods`;

/** Does `work` for each item, several at a time. @returns what became of each, in order */
export async function forEach(items, work) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at], at);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

/** Waits for something that others do in their own time. @throws {Error} when they do not */
export async function until(what, holds, { withinMs = 120_000, everyMs = 20 } = {}) {
  for (const deadline = performance.now() + withinMs; !(await holds()); await sleep(everyMs)) {
    if (performance.now() > deadline) throw new Error(`not so after ${withinMs / 1000} s: ${what}`);
  }
}
