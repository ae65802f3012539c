/** A Kubernetes that runs pods. */
export interface Cluster {
  /** Started by us on this machine, with its two advertised GPUs; otherwise it is the one of KUBECONFIG. */
  isOwn: boolean;
  kubeconfig: string;
  /** Paths of programs that fit the cluster. */
  kubectl: string;
  helm: string;
  /** The address at which pods reach servers of this machine (listening on 0.0.0.0); undefined when KUBECONFIG's cluster was given no CARICATURE_CLUSTER_HOST. */
  host: string | undefined;
  /** Where the cluster of this machine has its files; undefined for another. */
  folder?: string;
}

/** The cluster of KUBECONFIG if that is set, else this machine's, started unless it is up. It stays up afterwards. */
export function useCluster(options?: { log?: (line: string) => void }): Promise<Cluster>;

/** What this machine's cluster was started with. */
export interface ClusterSettings {
  folder: string;
  /** Below it, in each hierarchy, are the control groups of its pods. */
  cgroupRoot: string;
}

export function readSettings(): Promise<ClusterSettings>;

/** The process outside of the cluster that holds its namespaces, if it is up. */
export function findCluster(): Promise<number | undefined>;

/** Makes the images of an archive, or of the folder of an OCI layout, known to this machine's cluster, unless it has these very ones. */
export function loadImages(source: string, log?: (line: string) => void): Promise<void>;
