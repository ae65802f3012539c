// The configuration files of the node's programs.

/** @param {{folder: string, snapshotter: string}} options */
export function containerdConfig({ folder, snapshotter }) {
  return `version = 2
root = "${folder}/containerd"
state = "/run/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  # A container's own limits forbid to lower oom_score_adj where this machine is a container itself.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "${snapshotter}"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/net.d"
`;
}

/** Point to point, not a bridge: between pods of one bridge, a Service's answers would pass the address translation by. */
export function cniConfig({ pods }) {
  const link = { type: 'ptp', ipMasq: true, ipam: { type: 'host-local', ranges: [[{ subnet: pods }]], routes: [{ dst: '0.0.0.0/0' }] } };
  return JSON.stringify({ cniVersion: '0.4.0', name: 'pods', plugins: [link, { type: 'portmap', capabilities: { portMappings: true } }] }, null, 2);
}

export function kubeletConfig({ folder, network, cgroupRoot }) {
  return JSON.stringify(
    {
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      // The API server reaches the kubelet for logs; nothing but this machine and its pods can reach either.
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: 'AlwaysAllow' },
      containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
      cgroupDriver: 'cgroupfs',
      cgroupRoot,
      enforceNodeAllocatable: [],
      failSwapOn: false,
      failCgroupV1: false,
      clusterDNS: [network.node],
      clusterDomain: 'cluster.local',
      resolvConf: `${folder}/resolv.conf`,
      // Images are big and the disk is the machine's: this node never calls it full.
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      imageGCHighThresholdPercent: 100,
      nodeStatusUpdateFrequency: '5s',
      syncFrequency: '10s',
      serializeImagePulls: true,
    },
    null,
    2,
  );
}

/** Names of the cluster; and `host.cluster.test`, the machine outside as pods see it. */
export function coreFile({ network, kubeconfig }) {
  return `.:53 {
  bind ${network.node}
  errors
  hosts {
    ${network.host} host.cluster.test
    fallthrough
  }
  kubernetes cluster.local in-addr.arpa {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 5
  }
  cache 5
}
`;
}
