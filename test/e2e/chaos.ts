import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '@caricature/tensors';

/** What can be killed, and how often each is chosen beside the others. `cli` takes the services with it in order, `everything` does not. */
const WEIGHTS = { controller: 4, worker: 3, keeper: 1, postgres: 2, backend: 1, inference: 1, 'avatar-source': 1, cli: 1, everything: 2 };
export type Victim = keyof typeof WEIGHTS;

export interface MachineProcess {
  pid: number;
  command: string[];
  role: Exclude<Victim, 'everything'> | undefined;
}

/** The processes of one machine, by its home: everything that names it in its command line, its environment or its working directory. */
export async function processesOf(home: string): Promise<MachineProcess[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => inspect(pid, home)));
  return found.filter((each) => each !== undefined);
}

async function inspect(pid: number, home: string): Promise<MachineProcess | undefined> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const [commandLine, environment, directory] = await Promise.all([read('cmdline'), read('environ'), readlink(`/proc/${pid}/cwd`).catch(() => '')]);
  const isOurs = commandLine.includes(home) || environment.includes(home) || directory.startsWith(home);
  if (commandLine === '' || !isOurs) return undefined;
  const command = commandLine.split('\0');
  return { pid, command, role: roleOf(command) };
}

function roleOf(command: string[]): MachineProcess['role'] {
  const [program = '', ...rest] = command;
  if (program === '/bin/sh') return 'keeper';
  if (program.endsWith('/postgres')) return 'postgres';
  if (program.startsWith('postgres: ')) return 'backend';
  const app = /dist\/apps\/([\w-]+)\/src\/main\.js/.exec(rest.join(' '))?.[1];
  return app as MachineProcess['role'];
}

/** Kills at random instants, the same ones in the same order for the same seed. */
export class Killer {
  readonly killed: Victim[] = [];

  constructor(
    private readonly home: string,
    private readonly random: Random,
    private readonly log: (line: string) => void,
  ) {}

  /** Kills until `signal` aborts or `count` are dead. */
  async run(count: number, signal: AbortSignal): Promise<void> {
    while (this.killed.length < count && !signal.aborted) {
      await sleep(200 + this.random.uniform() * 4_000, undefined, { signal }).catch(() => undefined);
      if (!signal.aborted) await this.killOne();
    }
  }

  private async killOne(): Promise<void> {
    const wanted = this.draw();
    const all = await processesOf(this.home);
    const victims = wanted === 'everything' ? all : all.filter(({ role }) => role === wanted);
    if (victims.length === 0) return;
    const chosen = wanted === 'everything' ? victims : [victims[Math.floor(this.random.uniform() * victims.length)]!];
    for (const { pid } of chosen) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended by itself just now.
      }
    }
    this.killed.push(wanted);
    this.log(`${this.killed.length}. killed ${wanted}${wanted === 'worker' ? ` (${chosen[0]!.command.find((word) => /^[a-z]+(-[a-z]+)?$/.test(word)) ?? ''})` : ''}`);
  }

  private draw(): Victim {
    const entries = Object.entries(WEIGHTS) as [Victim, number][];
    let left = this.random.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    return entries.find(([, weight]) => (left -= weight) < 0)![0];
  }
}

/** The files below a folder, as sorted paths relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort();
}
