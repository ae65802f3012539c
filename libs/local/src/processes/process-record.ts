import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResourceOwner, StageAssignment } from '@caricature/contracts';

/** A process as the system names it: a number alone may be given again, a number and a start time may not. */
export interface ProcessIdentity {
  pid: number;
  startTicks: string;
}

/** The start time of a running process in clock ticks since boot, or undefined when there is none. Zombies count as ended. */
export function startTicksOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return startTicksOf(identity.pid) === identity.startTicks;
}

/** Where a job's files lie: `<root>/<owner uid>/<job>/`. */
export class JobFolder {
  readonly path: string;
  constructor(root: string, ownerUid: string, readonly job: string) {
    this.path = join(root, ownerUid, job);
  }

  file(name: 'assignment.json' | 'process.json' | 'exit.json' | 'token' | 'log.txt' | 'spool' | 'stop.json' | 'worker.pid'): string {
    return join(this.path, name);
  }

  exists(): boolean {
    return existsSync(this.file('assignment.json'));
  }

  async create(assignment: StageAssignment, token: string): Promise<void> {
    await mkdir(this.file('spool'), { recursive: true });
    await writeFile(this.file('token'), token, { mode: 0o600 });
    await this.write('assignment.json', assignment);
  }

  async write(name: 'assignment.json' | 'process.json' | 'exit.json' | 'stop.json', value: unknown): Promise<void> {
    const temporary = `${this.file(name)}.tmp`;
    await writeFile(temporary, JSON.stringify(value));
    await rename(temporary, this.file(name));
  }

  async read<T>(name: 'assignment.json' | 'process.json' | 'exit.json' | 'stop.json'): Promise<T | undefined> {
    const text = await readFile(this.file(name), 'utf8').catch(() => undefined);
    return text ? (JSON.parse(text) as T) : undefined;
  }
}

/** The job folders of one owner, or of every owner. */
export async function listJobFolders(root: string, ownerUid?: string): Promise<JobFolder[]> {
  const owners = ownerUid ? [ownerUid] : await readdir(root).catch(() => []);
  const folders = await Promise.all(
    owners.map(async (uid) => (await readdir(join(root, uid)).catch(() => [])).map((job) => new JobFolder(root, uid, job))),
  );
  return folders.flat().filter((f) => f.exists());
}

/** The running processes that have `file` among their arguments. */
export async function findProcessesNaming(file: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => commands[index]!.split('\0').includes(file));
}

export async function removeOwner(root: string, owner: ResourceOwner): Promise<void> {
  await rm(join(root, owner.uid), { recursive: true, force: true });
}
