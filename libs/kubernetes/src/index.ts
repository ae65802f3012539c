export { loadKubeConfig } from './client/load-kube-config.js';
export { Connection } from './client/connection.js';
export { KubernetesClient, type Fence, type KubernetesClientOptions, type Verb } from './client/kubernetes.client.js';
export { isKubernetesError, KubernetesError, type KubernetesErrorCode } from './client/kubernetes.error.js';
export { FINALIZER as KUBERNETES_FINALIZER, KubernetesResourceStore, type KubernetesResourceStoreOptions } from './resources/kubernetes-resource.store.js';
export { JobDriver, type JobDriverOptions } from './jobs/job.driver.js';
export { TOKEN_AUDIENCE, type WorkerPods } from './jobs/job-manifest.js';
