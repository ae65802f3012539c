import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { helmPath } from './tools.env.js';

const run = promisify(execFile);

export const ROOT = resolve(import.meta.dirname, '../..');
export const CHART = join(ROOT, 'charts/caricature');
export const RELEASE = 'caricature';
export const NAMESPACE = 'demo';

export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  spec?: any;
  [more: string]: any;
}

export type Values = Record<string, unknown>;

/** What `helm` prints; an error holds what it complained of. */
export async function helm(...args: string[]): Promise<string> {
  const { stdout } = await run(await helmPath(), args, { maxBuffer: 64 * 2 ** 20 }).catch((error: Error & { stderr?: string }) => {
    throw new Error(error.stderr?.trim() || error.message);
  });
  return stdout;
}

/** Everything that the chart makes with these values, in the order of installation. `apis` are API versions that the cluster has besides its own. */
export async function render(values: Values = {}, { apis = [] as string[] } = {}): Promise<Manifest[]> {
  const sets = Object.entries(values).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]);
  const text = await helm('template', RELEASE, CHART, '--namespace', NAMESPACE, '--kube-version', '1.34.4', ...apis.flatMap((api) => ['--api-versions', api]), ...sets);
  return parseAllDocuments(text).flatMap((document) => (document.contents ? [document.toJS() as Manifest] : []));
}

/** The pods that a manifest makes, as pod templates. */
export function podsOf(manifests: Manifest[]): { name: string; kind: string; labels: Record<string, string>; annotations: Record<string, string>; spec: any }[] {
  return manifests.flatMap((manifest) => {
    const template = manifest.kind === 'Pod' ? manifest : manifest.spec?.template;
    if (!template?.spec?.containers) return [];
    return [{ name: manifest.metadata.name, kind: manifest.kind, labels: template.metadata?.labels ?? {}, annotations: template.metadata?.annotations ?? {}, spec: template.spec }];
  });
}

export const containersOf = (pod: { spec: any }): any[] => [...(pod.spec.initContainers ?? []), ...pod.spec.containers];

export const find = (manifests: Manifest[], kind: string, name: string): Manifest | undefined => manifests.find((m) => m.kind === kind && m.metadata.name === name);
