import { describe, expect, it } from 'vitest';
import { CHART, containersOf, find, helm, NAMESPACE, podsOf, render, type Manifest, type Values } from './chart.js';
import { MONITORING, OWN, VARIANTS } from './variants.js';

describe.each(VARIANTS)('the chart %s', (_title, values) => {
  let manifests: Manifest[];
  const rendered = async () => (manifests ??= await render(values, { apis: MONITORING }));

  it('meets Pod Security "restricted" in every container, on a read-only root', async () => {
    const pods = podsOf(await rendered());
    expect(pods.length).toBeGreaterThan(0);
    for (const pod of pods) {
      expect(pod.spec.securityContext, pod.name).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
      expect(pod.spec.securityContext.runAsUser, pod.name).toBeGreaterThan(0);
      for (const forbidden of ['hostNetwork', 'hostPID', 'hostIPC']) expect(pod.spec[forbidden], pod.name).toBeUndefined();
      for (const volume of pod.spec.volumes ?? []) expect(volume.hostPath, pod.name).toBeUndefined();
      for (const container of containersOf(pod)) {
        expect(container.securityContext, `${pod.name}/${container.name}`).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          runAsNonRoot: true,
          capabilities: { drop: ['ALL'] },
          seccompProfile: { type: 'RuntimeDefault' },
        });
      }
    }
  });

  it('bounds the memory of every container, and asks for what it needs', async () => {
    for (const pod of podsOf(await rendered())) {
      for (const { name, resources } of containersOf(pod)) {
        expect(resources.requests, `${pod.name}/${name}`).toMatchObject({ cpu: expect.anything(), memory: expect.anything() });
        expect(resources.limits.memory, `${pod.name}/${name}`).toBeDefined();
      }
    }
  });

  it('probes everything that serves', async () => {
    for (const pod of podsOf(await rendered()).filter(({ kind }) => kind !== 'Pod')) {
      for (const { name, readinessProbe, livenessProbe } of pod.spec.containers) {
        expect(readinessProbe, `${pod.name}/${name}`).toBeDefined();
        expect(livenessProbe, `${pod.name}/${name}`).toBeDefined();
      }
    }
  });

  it('refers only to Secrets and accounts that it makes or was told of', async () => {
    const all = await rendered();
    const told = new Set(Object.values(values).filter((value) => typeof value === 'string'));
    const keys = (name: string) => Object.keys(find(all, 'Secret', name)?.['stringData'] ?? {});
    for (const pod of podsOf(all)) {
      for (const container of containersOf(pod)) {
        for (const { name: variable, valueFrom } of container.env ?? []) {
          const ref = valueFrom?.secretKeyRef;
          if (ref && !told.has(ref.name)) expect(keys(ref.name), `${pod.name} ${variable}`).toContain(ref.key);
        }
      }
      for (const { secret } of pod.spec.volumes ?? []) if (secret) expect(keys(secret.secretName), pod.name).toEqual(expect.arrayContaining(secret.items.map((i: { key: string }) => i.key)));
      if (pod.spec.serviceAccountName) expect(find(all, 'ServiceAccount', pod.spec.serviceAccountName), pod.name).toBeDefined();
    }
  });

  it('gives no right by wildcard, none on Secrets, and workers and servers none at all', async () => {
    const all = await rendered();
    for (const role of all.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')) {
      for (const rule of role['rules'] as Record<string, string[]>[]) {
        for (const list of Object.values(rule)) expect(list, role.metadata.name).not.toContain('*');
        expect(rule['resources'], role.metadata.name).not.toContain('secrets');
        expect(rule['verbs'], role.metadata.name).not.toContain('deletecollection');
      }
    }
    const bound = all.filter(({ kind }) => kind.endsWith('RoleBinding')).flatMap((binding) => (binding['subjects'] as { name: string }[]).map(({ name }) => name));
    expect(new Set(bound)).toEqual(new Set(values['rbac.create'] === false ? [] : ['caricature-controller']));
    for (const pod of podsOf(all)) expect(pod.spec.automountServiceAccountToken, pod.name).toBe(pod.name === 'caricature-controller');
  });

  it('selects by labels that its pods carry, and every Service reaches a port', async () => {
    const all = await rendered();
    const pods = podsOf(all);
    const matching = (labels: Record<string, string>) => pods.filter((pod) => Object.entries(labels).every(([key, value]) => pod.labels[key] === value));
    for (const { spec, metadata } of all.filter(({ kind }) => kind === 'Service')) {
      const ports = matching(spec.selector).flatMap(containersOf).flatMap((c) => c.ports ?? []);
      for (const { targetPort } of spec.ports) expect(ports.map((p) => p.name), metadata.name).toContain(targetPort);
    }
    for (const { spec, metadata } of all.filter(({ kind }) => kind === 'PodDisruptionBudget')) expect(matching(spec.selector.matchLabels), metadata.name).toHaveLength(1);
    for (const monitor of all.filter(({ kind }) => kind === 'ServiceMonitor')) {
      const services = all.filter(({ kind, metadata }) => kind === 'Service' && Object.entries(monitor.spec.selector.matchLabels).every(([key, value]) => metadata.labels?.[key] === value));
      expect(services.length).toBeGreaterThan(0);
    }
  });
});

describe('a bundled part', () => {
  it('is not there when one has one of one\'s own', async () => {
    const all = await render(OWN);
    expect(all.filter(({ kind }) => kind === 'StatefulSet')).toEqual([]);
    const env = containersOf(podsOf(all).find(({ name }) => name === 'caricature-controller')!)[0].env as { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string } } }[];
    const of = (name: string) => env.find((e) => e.name === name);
    expect(of('CARICATURE_DATABASE_URL')?.valueFrom?.secretKeyRef.name).toBe('my-database');
    expect(of('CARICATURE_S3_ENDPOINT')?.value).toBe('http://minio.minio.svc:9000');
    expect(of('CARICATURE_WORKER_SECRET')?.value).toBe('my-store');
    const egress = JSON.stringify(find(all, 'NetworkPolicy', 'caricature-workers')!.spec.egress);
    expect(egress).toContain('"port":9000');
  });

  it('needs no Secret where the pods have an identity of their own', async () => {
    const all = await render({ 'objectStore.enabled': false, 'artifacts.uri': 's3://my-bucket/faces', 'controller.serviceAccount.annotations': { 'eks.amazonaws.com/role-arn': 'arn:x' } });
    const text = JSON.stringify(podsOf(all));
    expect(text).not.toContain('AWS_ACCESS_KEY_ID');
    expect(text).not.toContain('CARICATURE_WORKER_SECRET');
    expect(find(all, 'ServiceAccount', 'caricature-controller')?.metadata.annotations).toEqual({ 'eks.amazonaws.com/role-arn': 'arn:x' });
  });

  it('keeps what its data depends on when it is uninstalled', async () => {
    const all = await render();
    for (const name of ['caricature-postgresql', 'caricature-artifacts']) expect(find(all, 'Secret', name)?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    const crds = all.filter(({ kind }) => kind === 'CustomResourceDefinition');
    expect(crds.map(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'])).toEqual(['keep', 'keep']);
    expect(JSON.stringify(crds)).toContain('x-kubernetes-validations');
  });
});

describe('where resources are worked on', () => {
  const controllerEnv = (all: Manifest[], name: string) => containersOf(podsOf(all).find((p) => p.name === 'caricature-controller')!)[0].env.find((e: { name: string }) => e.name === name)?.value;

  it('is the namespace of the release unless told', async () => {
    const all = await render();
    expect(controllerEnv(all, 'CARICATURE_NAMESPACES')).toBe(NAMESPACE);
    expect(all.filter(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name.endsWith('-resources'))).toEqual([]);
  });

  it('may be several: each has the rights, the account, the access and the policies of workers', async () => {
    const all = await render({ namespaces: ['team-a', 'team-b'] });
    expect(controllerEnv(all, 'CARICATURE_NAMESPACES')).toBe('team-a,team-b');
    for (const namespace of ['team-a', 'team-b']) {
      const there = all.filter(({ metadata }) => metadata.namespace === namespace).map(({ kind, metadata }) => `${kind}/${metadata.name}`);
      expect(there.sort()).toEqual(['NetworkPolicy/caricature-crawlers', 'NetworkPolicy/caricature-workers', 'Role/caricature-resources', 'RoleBinding/caricature-resources', 'Secret/caricature-artifacts', 'ServiceAccount/caricature-worker']);
    }
    const access = all.filter(({ kind, metadata }) => kind === 'Secret' && metadata.name === 'caricature-artifacts').map((secret) => secret['stringData']);
    expect(access).toHaveLength(3);
    expect(new Set(access.map((a) => JSON.stringify(a))).size).toBe(1);
  });

  it('may be all of them, by a ClusterRole', async () => {
    const all = await render({ namespaces: ['*'] });
    expect(controllerEnv(all, 'CARICATURE_NAMESPACES')).toBe('');
    expect(all.some(({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === 'demo-caricature-resources')).toBe(true);
    expect(all.some(({ kind, metadata }) => kind === 'Role' && metadata.name === 'caricature-resources')).toBe(false);
  });
});

describe('monitoring', () => {
  it('makes the Prometheus operator\'s kinds only where they are known', async () => {
    const kinds = async (apis: string[], values: Values = {}) => (await render(values, { apis })).map(({ kind }) => kind).filter((kind) => /Monitor|PrometheusRule/.test(kind));
    expect(await kinds([])).toEqual([]);
    expect((await kinds(MONITORING)).sort()).toEqual(['PrometheusRule', 'ServiceMonitor']);
    expect((await kinds(MONITORING, { 'monitoring.monitor': 'PodMonitor' })).sort()).toEqual(['PodMonitor', 'PrometheusRule']);
    expect(await kinds(MONITORING, { 'monitoring.monitor': 'None', 'monitoring.rules.enabled': false })).toEqual([]);
  });

  it('leaves the templates in alert texts to Prometheus', async () => {
    const rule = (await render({}, { apis: MONITORING })).find(({ kind }) => kind === 'PrometheusRule')!;
    expect(JSON.stringify(rule.spec)).toContain('{{ $labels.run }}');
    expect(rule.spec.groups[0].rules).toHaveLength(9);
  });

  it('annotates pods that have metrics, and puts dashboards where a sidecar finds them', async () => {
    const all = await render();
    const scraped = podsOf(all).filter(({ annotations }) => annotations['prometheus.io/scrape'] === 'true');
    expect(scraped.map(({ name, annotations }) => [name, annotations['prometheus.io/port']])).toEqual([['caricature-controller', '3000'], ['caricature-inference', '3100']]);
    const dashboards = all.filter(({ kind, metadata }) => kind === 'ConfigMap' && metadata.labels?.['grafana_dashboard'] === '1');
    expect(dashboards.map(({ data }) => Object.keys(data)[0])).toEqual(['controller.json', 'crawling.json', 'inference.json', 'training.json']);
    for (const { data } of dashboards) expect(() => JSON.parse(Object.values(data as Record<string, string>)[0]!)).not.toThrow();
  });
});

describe('a pod', () => {
  it('is made anew when a Secret of the release changes, and only then', async () => {
    const checksum = async (values: Values) => podsOf(await render(values)).find(({ name }) => name === 'caricature-inference')!.annotations['checksum/secrets'];
    const fixed = { 'apiToken.existingSecret': 'a', 'inference.auth.existingSecret': 'b', 'postgresql.existingSecret': 'c', 'artifacts.existingSecret': 'd' };
    expect(await checksum(fixed)).toBe(await checksum({ ...fixed, 'controller.replicas': 3 }));
    expect(await checksum({})).not.toBe(await checksum({}));
  });

  it('names images by digest where one is given', async () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const all = await render({ imageRegistry: 'mirror.example.com', 'worker.image.digest': digest, 'controller.image.tag': 'v9' });
    const controller = containersOf(podsOf(all).find(({ name }) => name === 'caricature-controller')!)[0];
    expect(controller.image).toBe('mirror.example.com/caricature/controller:v9');
    expect(controller.env.find((e: { name: string }) => e.name === 'CARICATURE_WORKER_IMAGE').value).toBe(`mirror.example.com/caricature/worker@${digest}`);
  });

  it('of the controller is one of two, spread, and may be drained one at a time', async () => {
    const all = await render();
    expect(find(all, 'Deployment', 'caricature-controller')?.spec).toMatchObject({ replicas: 2, strategy: { rollingUpdate: { maxUnavailable: 0 } } });
    expect(podsOf(all).find(({ name }) => name === 'caricature-controller')!.spec.topologySpreadConstraints).toHaveLength(1);
    expect(find(all, 'PodDisruptionBudget', 'caricature-controller')?.spec.maxUnavailable).toBe(1);
    expect(find(all, 'Deployment', 'caricature-inference')?.spec.replicas).toBeUndefined();
    expect(find(all, 'HorizontalPodAutoscaler', 'caricature-inference')?.spec).toMatchObject({ minReplicas: 1, maxReplicas: 5 });
  });
});

describe('what cannot be meant is refused by name', () => {
  it.each<[string, Values, RegExp]>([
    ['an unknown value', { 'contoller.replicas': 3 }, /'contoller' not allowed/],
    ['an unknown value further in', { 'controller.replica': 3 }, /\/controller.*'replica' not allowed/],
    ['a number out of range', { 'controller.replicas': 0 }, /\/controller\/replicas.*minimum/],
    ['a model without an alias', { 'inference.model': 'caricature' }, /\/inference\/model/],
    ['a folder as artifact store', { 'artifacts.uri': 'file:///data' }, /\/artifacts\/uri/],
    ['an ingress without a host', { 'controller.ingress.enabled': true }, /\/controller\/ingress\/host/],
    ['an impossible quantity', { 'postgresql.storage.size': 'big' }, /\/postgresql\/storage\/size/],
    ['a digest that is none', { 'worker.image.digest': 'latest' }, /\/worker\/image\/digest/],
    ['a variable that is no text', { 'worker.env': { OMP_NUM_THREADS: 2 } }, /\/worker\/env\/OMP_NUM_THREADS/],
    ['no database', { 'postgresql.enabled': false }, /database\.existingSecret: name a Secret/],
    ['two databases', { 'database.existingSecret': 'mine' }, /database\.existingSecret: .*postgresql\.enabled=false/],
    ['two artifact stores', { 'artifacts.endpoint': 'http://minio:9000' }, /artifacts\.endpoint: .*objectStore\.enabled=false/],
    ['all namespaces and one more', { namespaces: ['*', 'a'] }, /namespaces: "\*" is all of them/],
    ['fewer pods at most than at least', { 'inference.autoscaling.minReplicas': 9 }, /inference\.autoscaling\.maxReplicas: 5 is less than minReplicas, 9/],
  ])('%s', async (_title, values, message) => {
    await expect(render(values)).rejects.toThrow(message);
  });
});

describe('Helm', () => {
  it('finds nothing to object to', async () => {
    expect(await helm('lint', '--strict', CHART)).toContain('0 chart(s) failed');
  });
});
