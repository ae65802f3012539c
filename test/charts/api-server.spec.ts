import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.mjs';
import { CHART, helm, NAMESPACE, podsOf, RELEASE, render } from './chart.js';
import { VARIANTS } from './variants.js';

const run = promisify(execFile);

describe('a real API server', () => {
  let plane: ControlPlane;
  let folder: string;
  const kubectl = async (...args: string[]) => (await run(plane.kubectl, ['--kubeconfig', plane.kubeconfig, ...args], { maxBuffer: 64 * 2 ** 20 })).stdout;
  const release = (...args: string[]) => helm(...args, '--kubeconfig', plane.kubeconfig, '--namespace', NAMESPACE);
  const secret = async (name: string, key: string) => Buffer.from(await kubectl('-n', NAMESPACE, 'get', 'secret', name, '-o', `jsonpath={.data.${key}}`), 'base64').toString();

  beforeAll(async () => {
    plane = await startControlPlane();
    folder = await mkdtemp(join(tmpdir(), 'caricature-chart-'));
    for (const namespace of [NAMESPACE, 'team-a', 'team-b']) {
      await kubectl('create', 'namespace', namespace);
      await kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted', 'pod-security.kubernetes.io/warn=restricted');
    }
    await kubectl('config', 'set-context', '--current', `--namespace=${NAMESPACE}`);
    await kubectl('create', 'priorityclass', 'high', '--value=1000');
  }, 120_000);
  afterAll(async () => {
    await plane?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it.each(VARIANTS)('accepts every manifest of the chart %s, warning of nothing', async (title, values) => {
    const file = join(folder, `${title.replaceAll(' ', '-')}.yaml`);
    const manifests = await render(values);
    // The pods of a Deployment are judged by Pod Security only when they are made: the same pods are shown to it here.
    const pods = podsOf(manifests)
      .filter(({ kind }) => kind !== 'Pod')
      .map(({ name, spec }) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `pod-of-${name}`, namespace: NAMESPACE }, spec: { ...spec, serviceAccountName: undefined, volumes: [...(spec.volumes ?? []), ...(name.endsWith('-postgresql') || name.endsWith('-objects') ? [{ name: 'data', emptyDir: {} }] : [])] } }));
    await kubectl('-n', NAMESPACE, 'create', 'serviceaccount', 'default').catch(() => undefined);
    await writeFile(file, [...manifests, ...pods].map((m) => stringify(m)).join('---\n'));
    const { stderr } = await run(plane.kubectl, ['--kubeconfig', plane.kubeconfig, 'apply', '--dry-run=server', '--validate=strict', '-f', file], { maxBuffer: 64 * 2 ** 20 });
    expect(stderr).toBe('');
  });

  it('keeps passwords over an upgrade, and pods with them', async () => {
    const templates = () => kubectl('-n', NAMESPACE, 'get', 'deployments,statefulsets', '-o', 'jsonpath={.items[*].spec.template}');
    await release('install', RELEASE, CHART);
    const before = { url: await secret('caricature-postgresql', 'url'), token: await secret('caricature-api', 'token'), key: await secret('caricature-artifacts', 'AWS_SECRET_ACCESS_KEY'), pods: await templates() };
    expect(before.url).toMatch(/^postgresql:\/\/caricature:[A-Za-z0-9]{32}@caricature-postgresql\.demo\.svc:5432\/caricature$/);
    await release('upgrade', RELEASE, CHART, '--set', 'namespaces={demo,team-a}');
    const after = { url: await secret('caricature-postgresql', 'url'), token: await secret('caricature-api', 'token'), key: await secret('caricature-artifacts', 'AWS_SECRET_ACCESS_KEY') };
    expect(after).toEqual({ url: before.url, token: before.token, key: before.key });
    await release('rollback', RELEASE, '1');
    expect(await templates()).toBe(before.pods);
  }, 60_000);

  it('gives the controller the rights it was meant to have, and the workers none', async () => {
    const can = (account: string, ...what: string[]) => kubectl('auth', 'can-i', ...what, `--as=system:serviceaccount:${NAMESPACE}:${account}`).then(() => true, () => false);
    expect(await can('caricature-controller', 'create', 'jobs.batch', '-n', NAMESPACE)).toBe(true);
    expect(await can('caricature-controller', 'patch', 'trainingruns.caricature.dev/status', '-n', NAMESPACE)).toBe(true);
    expect(await can('caricature-controller', 'create', 'tokenreviews.authentication.k8s.io')).toBe(true);
    expect(await can('caricature-controller', 'create', 'jobs.batch', '-n', 'team-b')).toBe(false);
    expect(await can('caricature-controller', 'get', 'secrets', '-n', NAMESPACE)).toBe(false);
    expect(await can('caricature-worker', 'get', 'trainingruns.caricature.dev', '-n', NAMESPACE)).toBe(false);
  });

  it('has definitions brought up to date by an upgrade, and keeps them and the resources when the release goes', async () => {
    const crd = 'customresourcedefinition/trainingruns.caricature.dev';
    await kubectl('patch', crd, '--type=json', '-p', '[{"op":"remove","path":"/spec/names/shortNames"}]');
    await release('upgrade', RELEASE, CHART);
    expect(await kubectl('get', crd, '-o', 'jsonpath={.spec.names.shortNames[0]}')).toBe('trun');
    await kubectl('-n', NAMESPACE, 'apply', '-f', join(CHART, '../../test/e2e/tiny.yaml'));
    await release('uninstall', RELEASE);
    expect(await kubectl('-n', NAMESPACE, 'get', 'trainingruns,crawljobs', '-o', 'name')).toContain('trainingrun.caricature.dev/tiny');
    const kept = await secret('caricature-postgresql', 'password');
    await release('install', RELEASE, CHART);
    expect(await secret('caricature-postgresql', 'password')).toBe(kept);
  }, 60_000);
});
