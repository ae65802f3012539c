import { readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCluster, readSettings } from './cluster.mjs';

const CGROUPS = '/sys/fs/cgroup';
const SERVERS = ['kube-apiserver', 'etcd', 'kube-controller-manager', 'kube-scheduler', 'kubelet', 'containerd'] as const;
const PROGRAMS = ['controller', 'worker', 'inference', 'avatar-source'] as const;

export type Role = (typeof SERVERS)[number] | (typeof PROGRAMS)[number] | 'postgres' | 'versitygw';

export interface NodeProcess {
  pid: number;
  role: Role | undefined;
  /** Of the pod that it is in; undefined for a server of the cluster itself. */
  podUid: string | undefined;
}

/** This machine's own cluster from outside, as somebody with root on its node has it: any process can be killed, and a pod's memory narrowed. */
export class OwnNode {
  private constructor(
    private readonly pid: number,
    private readonly cgroupRoot: string,
  ) {}

  static async find(): Promise<OwnNode> {
    const pid = await findCluster();
    if (pid === undefined) throw new Error('no cluster of this machine is up (make cluster-up)');
    return new OwnNode(pid, (await readSettings()).cgroupRoot);
  }

  /** Everything that runs in its pods, and the servers of the cluster. Nothing of the machine outside is among them. */
  async processes(): Promise<NodeProcess[]> {
    const inside = await readlink(`/proc/${this.pid}/ns/pid_for_children`);
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
    const found = await Promise.all(pids.map((pid) => this.inspect(pid, inside)));
    return found.filter((each) => each !== undefined);
  }

  /** Gives whether it was still there. */
  kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
    try {
      return process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  }

  /** Everything on the node at once, as when its power fails. Its servers are started again after a second; what was in its pods is gone. */
  async cutPower(): Promise<void> {
    const all = await this.processes();
    for (const role of ['kubelet', 'containerd'] as const) for (const { pid } of all.filter((each) => each.role === role)) this.kill(pid);
    for (const { pid, podUid } of all) if (podUid) this.kill(pid);
  }

  /** Lets a pod's container have just the memory that it has, again and again, until the kernel has killed it for wanting more. */
  async starve(podUid: string, isDead: () => Promise<boolean>): Promise<void> {
    const group = await this.largestGroupOf(podUid);
    for (let slackBytes = 2 ** 20; !(await isDead()); slackBytes = Math.max(2 ** 16, slackBytes / 2)) {
      await narrow(group, slackBytes).catch((error: NodeJS.ErrnoException) => {
        // It is gone, or has grown meanwhile.
        if (!['ENOENT', 'EBUSY', 'ENODEV'].includes(error.code ?? '')) throw error;
      });
      await sleep(500);
    }
  }

  private async inspect(pid: number, inside: string): Promise<NodeProcess | undefined> {
    const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
    const [groups, commandLine, namespace] = await Promise.all([read('cgroup'), read('cmdline'), readlink(`/proc/${pid}/ns/pid`).catch(() => '')]);
    const podUid = groups.includes(`:${this.cgroupRoot}/`) ? /\/pod([0-9a-f-]{36})/.exec(groups)?.[1] : undefined;
    if (!podUid && namespace !== inside) return undefined;
    return { pid, podUid, role: roleOf(commandLine.split('\0'), podUid !== undefined) };
  }

  /** The container of the pod that has most: not the one that only holds its namespaces. */
  private async largestGroupOf(podUid: string): Promise<string> {
    const root = join((await isThere(join(CGROUPS, 'cgroup.controllers'))) ? CGROUPS : join(CGROUPS, 'memory'), this.cgroupRoot);
    const pods = (await readdir(root, { recursive: true })).filter((name) => name.endsWith(`pod${podUid}`));
    let largest: { folder: string; bytes: number } | undefined;
    for (const pod of pods) {
      for (const entry of await readdir(join(root, pod), { withFileTypes: true })) {
        if (!entry.isDirectory()) continue;
        const folder = join(root, pod, entry.name);
        const bytes = await used(folder);
        if (bytes > (largest?.bytes ?? 0)) largest = { folder, bytes };
      }
    }
    if (!largest) throw new Error(`pod ${podUid} has no container below ${root}`);
    return largest.folder;
  }
}

function roleOf(command: string[], isInPod: boolean): Role | undefined {
  const program = (command[0] ?? '').split('/').at(-1)!;
  if (!isInPod) return SERVERS.find((name) => name === program);
  // After Node's own options.
  const app = command.map((argument) => /^\/app\/dist\/apps\/([\w-]+)\/src\/main\.js$/.exec(argument)?.[1]).find((name) => name !== undefined);
  if (app) return PROGRAMS.find((name) => name === app);
  // Not its back ends: their title begins with "postgres: ".
  if (program === 'postgres') return 'postgres';
  return program === 'versitygw' ? 'versitygw' : undefined;
}

/** By the version of control groups: what limits, what is used, and how much of that can be read from files again. */
const FILES = [
  { limit: 'memory.max', usage: 'memory.current', file: /^file (\d+)$/m },
  { limit: 'memory.limit_in_bytes', usage: 'memory.usage_in_bytes', file: /^total_cache (\d+)$/m },
];

/** Leaves a group `slackBytes` above what it could not give back. */
async function narrow(group: string, slackBytes: number): Promise<void> {
  for (const { limit } of FILES) if (await isThere(join(group, limit))) await writeFile(join(group, limit), String((await used(group)) + slackBytes));
}

async function used(group: string): Promise<number> {
  for (const { usage, file } of FILES) {
    const total = await readFile(join(group, usage), 'utf8').catch(() => undefined);
    if (total !== undefined) return Number(total) - Number(file.exec(await readFile(join(group, 'memory.stat'), 'utf8'))?.[1] ?? 0);
  }
  return 0;
}

const isThere = (file: string): Promise<boolean> => stat(file).then(() => true, () => false);
