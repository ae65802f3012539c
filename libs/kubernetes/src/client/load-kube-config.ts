import { KubeConfig } from '@kubernetes/client-node';

/** $KUBECONFIG or ~/.kube/config, else the ServiceAccount of the pod that this runs in; `file` names another kubeconfig. */
export function loadKubeConfig(file?: string): KubeConfig {
  const config = new KubeConfig();
  if (file) config.loadFromFile(file);
  else config.loadFromDefault();
  return config;
}
