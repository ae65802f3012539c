import type { Values } from './chart.js';

/** What the Prometheus operator adds to a cluster. */
export const MONITORING = ['monitoring.coreos.com/v1/ServiceMonitor', 'monitoring.coreos.com/v1/PodMonitor', 'monitoring.coreos.com/v1/PrometheusRule'];

/** With a database and an artifact store of one's own. */
export const OWN = { 'postgresql.enabled': false, 'database.existingSecret': 'my-database', 'objectStore.enabled': false, 'artifacts.existingSecret': 'my-store', 'artifacts.endpoint': 'http://minio.minio.svc:9000' };

/** Ways of installing that differ in what is made. */
export const VARIANTS: [string, Values][] = [
  ['as it comes', {}],
  ['everything on', { 'avatarSource.enabled': true, 'controller.ingress': { enabled: true, host: 'a.example.com', tlsSecret: 'tls', className: 'nginx' }, 'inference.ingress': { enabled: true, host: 'b.example.com' } }],
  ['with a database and a store of its own', OWN],
  ['for several namespaces', { namespaces: ['team-a', 'team-b'] }],
  ['for all namespaces', { namespaces: ['*'] }],
  ['controller only', { 'inference.enabled': false, 'networkPolicy.enabled': false, 'monitoring.dashboards.enabled': false, 'crds.install': false, 'rbac.create': false }],
  ['with anonymous inference of a fixed size', { 'inference.auth.allowAnonymous': true, 'inference.autoscaling.enabled': false, 'inference.replicas': 3 }],
  [
    'with everything that places a pod',
    {
      imageRegistry: 'registry.example.com/mirror',
      imagePullSecrets: [{ name: 'pull' }],
      commonLabels: { team: 'faces' },
      ...Object.fromEntries(['controller', 'inference', 'postgresql', 'objectStore'].map((c) => [`${c}.nodeSelector`, { disk: 'ssd' }])),
      'controller.tolerations': [{ key: 'gpu', operator: 'Exists' }],
      'controller.priorityClassName': 'high',
      'controller.podAnnotations': { a: 'b' },
      'controller.extraEnv': [{ name: 'A', value: 'b' }],
      'worker.env': { OMP_NUM_THREADS: '2' },
      'worker.scratchSize': '10Gi',
    },
  ],
];
