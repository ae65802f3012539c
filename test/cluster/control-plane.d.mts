/** An API server of Kubernetes with its etcd, and no node. */
export interface ControlPlane {
  url: string;
  /** Of a cluster administrator. */
  token: string;
  kubeconfig: string;
  caFile: string;
  ca: string;
  /** Path of a kubectl of the same version. */
  kubectl: string;
  /** Data, keys, and a log for each server. */
  folder: string;
  services: Record<'etcd' | 'kube-apiserver', Service> & Partial<Record<'kube-controller-manager' | 'kube-scheduler', Service>>;
  untilReady(): Promise<void>;
  stop(): Promise<void>;
}

/** A server that can be stopped, killed and started again: same port, same data. */
export interface Service {
  readonly name: string;
  readonly pid: number | undefined;
  readonly logFile: string;
  isRunning(): boolean;
  start(): void;
  stop(): Promise<void>;
  /** SIGSTOP and SIGCONT are for `process.kill(service.pid)`: this waits until the server has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  logTail(lines?: number): Promise<string>;
}

export interface ControlPlaneOptions {
  /** Start the controllers too: Jobs make pods, service accounts appear, deleted namespaces are emptied. Default: false. */
  controllerManager?: boolean;
  /** Default: false. */
  scheduler?: boolean;
  /** Where everything is kept; default: a temporary folder that `stop` removes. */
  folder?: string;
  address?: string;
  port?: number;
  /** More flags for the API server, such as `--etcd-compaction-interval=1s`. */
  flags?: string[];
  log?: (line: string) => void;
}

/** Starts one and resolves once it is ready; it ends with this process at the latest. */
export function startControlPlane(options?: ControlPlaneOptions): Promise<ControlPlane>;
