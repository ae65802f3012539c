import { spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceOwner, StageAssignment } from '@caricature/contracts';
import type { Execution, JobObservation, PodDriver } from '@caricature/reconciler';
import { findProcessesNaming, isAlive, JobFolder, listJobFolders, removeOwner, type ProcessIdentity } from './process-record.js';
import { inheritedPath } from './inherited-path.env.js';
import { KEEPER } from './keeper.js';
import { memoryLimitBytes, residentBytes } from './memory.js';

export interface ProcessDriverOptions {
  /** Where the jobs' folders are kept. */
  root: string;
  /** The worker's program: arguments of Node. */
  worker: string[];
  /** What a worker is given of the environment, beside PATH and its own token: where the controller and the artifacts are. */
  environment: Record<string, string>;
  /** How long a stopped process may take for its checkpoint. */
  graceMs?: number;
  pollMs?: number;
}

interface ExitRecord {
  code: number;
  at: string;
  /** Why it never ran. */
  why?: string;
}
interface ProcessState extends ProcessIdentity {
  startTime: string;
}
interface StopRecord {
  at: string;
  reason: 'Stopped' | 'OOMKilled';
}

/** The exit codes that mean something here, beside 0. */
const IMPOSSIBLE = 64;
const INTERRUPTED = 75;
const TAIL_LINES = 12;

/**
 * Runs stages as child processes that outlive the controller. Each is started by a shell that only waits for it and writes its exit code
 * down, so what became of a stage is known even when it, or the controller, was killed.
 */
export class ProcessDriver implements PodDriver {
  private graceMs: number;
  private readonly pollMs: number;

  constructor(private readonly options: ProcessDriverOptions) {
    this.graceMs = options.graceMs ?? 30_000;
    this.pollMs = options.pollMs ?? 250;
  }

  async list(owner: ResourceOwner): Promise<JobObservation[]> {
    const folders = await listJobFolders(this.options.root, owner.uid);
    return (await Promise.all(folders.map((f) => this.observe(f)))).filter((job) => job !== undefined);
  }

  async create(assignment: StageAssignment, execution: Execution): Promise<void> {
    const folder = new JobFolder(this.options.root, assignment.owner.uid, assignment.job);
    if (!folder.exists()) await folder.create(assignment, randomBytes(32).toString('hex'));
    // A controller killed between the two steps left a folder without a process: starting it now is the same job, not a second one.
    if (await folder.read('process.json')) return;
    this.start(folder, (await folder.read<StageAssignment>('assignment.json'))!, execution);
    while (folder.exists() && !(await folder.read('process.json')) && !(await folder.read('exit.json'))) await sleep(5);
  }

  async stop(owner: ResourceOwner, job: string): Promise<void> {
    const folder = new JobFolder(this.options.root, owner.uid, job);
    const state = await folder.read<ProcessState>('process.json');
    if (!state || !isAlive(state)) return;
    if (!(await folder.read('stop.json'))) await folder.write('stop.json', { at: new Date().toISOString(), reason: 'Stopped' } satisfies StopRecord);
    const stop = (await folder.read<StopRecord>('stop.json'))!;
    const overdue = Date.now() - Date.parse(stop.at) > this.graceMs;
    // The whole group: the shell, too, does not outlive a SIGKILL.
    kill(-state.pid, overdue ? 'SIGKILL' : 'SIGTERM');
  }

  /** Makes `stopAll` kill what has not ended yet: its checkpoints are kept, what came after them is done again. */
  hurry(): void {
    this.graceMs = 0;
  }

  /** Stops every job at its checkpoint and waits until all have ended: for a controller that is told to end. They go on at its next start. */
  async stopAll(): Promise<void> {
    for (;;) {
      const running: { owner: ResourceOwner; job: string }[] = [];
      for (const folder of await listJobFolders(this.options.root)) {
        const assignment = await folder.read<StageAssignment>('assignment.json');
        if (assignment && (await this.observe(folder))?.state === 'Running') running.push({ owner: assignment.owner, job: folder.job });
      }
      if (running.length === 0) return;
      for (const { owner, job } of running) await this.stop(owner, job);
      await sleep(this.pollMs);
    }
  }

  async forget(owner: ResourceOwner): Promise<void> {
    await removeOwner(this.options.root, owner);
  }

  async log(owner: ResourceOwner, job: string): Promise<string | undefined> {
    return readFile(new JobFolder(this.options.root, owner.uid, job).file('log.txt'), 'utf8').catch(() => undefined);
  }

  async watch(onChange: (owner: ResourceOwner) => void, signal: AbortSignal): Promise<void> {
    const known = new Map<string, string>();
    while (!signal.aborted) {
      for (const folder of await listJobFolders(this.options.root)) {
        const before = known.get(folder.path);
        if (before === 'Succeeded' || before === 'Failed') continue;
        const state = (await this.observe(folder))?.state;
        if (!state) continue;
        if (state === 'Running') await this.enforceMemory(folder);
        if (state !== before) {
          known.set(folder.path, state);
          const assignment = await folder.read<StageAssignment>('assignment.json');
          if (assignment) onChange(assignment.owner);
        }
      }
      await sleep(this.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** The assignment whose process was given this token, or undefined. */
  async authenticate(job: string, token: string): Promise<StageAssignment | undefined> {
    for (const folder of await listJobFolders(this.options.root)) {
      if (folder.job !== job) continue;
      const expected = Buffer.from(readFileSync(folder.file('token'), 'utf8'));
      const given = Buffer.from(token);
      if (expected.length === given.length && timingSafeEqual(expected, given)) return folder.read('assignment.json');
    }
    return undefined;
  }

  private start(folder: JobFolder, assignment: StageAssignment, execution: Execution): void {
    const log = openSync(folder.file('log.txt'), 'a');
    const limit = memoryLimitBytes(execution.resources);
    const child = spawn('/bin/sh', ['-c', KEEPER, 'sh', process.execPath, ...this.options.worker, assignment.stage, '--assignment', folder.file('assignment.json')], {
      cwd: folder.path,
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        PATH: inheritedPath(),
        ...this.options.environment,
        CARICATURE_TOKEN_FILE: folder.file('token'),
        CARICATURE_SPOOL: folder.file('spool'),
        PROCESS_FILE: folder.file('process.json'),
        EXIT_FILE: folder.file('exit.json'),
        PID_FILE: folder.file('worker.pid'),
        ...(limit ? { CARICATURE_MEMORY_LIMIT_BYTES: String(limit) } : {}),
      },
    });
    closeSync(log);
    const neverRan = (why: string) => void folder.write('exit.json', { code: NOT_STARTED, at: new Date().toISOString(), why }).catch(() => undefined);
    child.on('error', (error) => neverRan(String(error)));
    // It says nothing when it ends without having been named: the disk is full, say.
    child.on('exit', (code) => void folder.read('process.json').then((named) => named ?? neverRan(`its shell ended with ${code}`)));
    child.unref();
  }

  /** Undefined when there is no such job: its owner was deleted meanwhile, or it was never started. */
  private async observe(folder: JobFolder): Promise<JobObservation | undefined> {
    const assignment = await folder.read<StageAssignment>('assignment.json');
    if (!assignment) return undefined;
    const state = await folder.read<ProcessState>('process.json');
    const exit = await this.readExit(folder, state);
    // Not a job yet: a controller was killed before it started the process, and the plan asks for it again.
    if (!state && !exit) return undefined;
    const job = { name: folder.job, stage: assignment.stage, attempt: assignment.attempt, terminal: false, disrupted: false, ...(state ? { startTime: state.startTime } : {}) };
    if (!exit) return { ...job, state: 'Running' };
    const ended = { ...job, completionTime: exit.at };
    if (exit.code === 0) return { ...ended, state: 'Succeeded' };
    const stop = await folder.read<StopRecord>('stop.json');
    return {
      ...ended,
      state: 'Failed',
      terminal: exit.code === IMPOSSIBLE,
      disrupted: exit.code === INTERRUPTED || exit.code === LOST || stop?.reason === 'Stopped',
      message: await describeExit(folder, exit, stop),
    };
  }

  private async readExit(folder: JobFolder, state: ProcessState | undefined): Promise<ExitRecord | undefined> {
    const exit = await folder.read<ExitRecord>('exit.json');
    if (exit || !state || isAlive(state)) return exit;
    // The shell itself is gone: it may have written its record between the two looks; if not, the machine or the shell was killed.
    const late = await folder.read<ExitRecord>('exit.json');
    if (late) return late;
    // A worker without its shell would go on beside its own successor: it is ended, and until it has it counts as running.
    const orphans = await findProcessesNaming(folder.file('assignment.json'));
    for (const pid of orphans) kill(pid, 'SIGKILL');
    if (orphans.length > 0) return undefined;
    const lost: ExitRecord = { code: LOST, at: new Date().toISOString() };
    await folder.write('exit.json', lost);
    return lost;
  }

  private async enforceMemory(folder: JobFolder): Promise<void> {
    const pid = Number(await readFile(folder.file('worker.pid'), 'utf8').catch(() => ''));
    if (!pid) return;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const limit = Number(/(?:^|\0)CARICATURE_MEMORY_LIMIT_BYTES=(\d+)/.exec(environment)?.[1] ?? 0);
    if (limit === 0 || residentBytes(pid) <= limit) return;
    await folder.write('stop.json', { at: new Date().toISOString(), reason: 'OOMKilled' } satisfies StopRecord);
    kill(pid, 'SIGKILL');
  }
}

/** Signals a process, or a group by its negative number; one that ended meanwhile needs it no more. */
function kill(pid: number, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Neither the process nor a record of its end is there: the machine went down, or the shell was killed. */
const LOST = -1;
/** As a shell says that a program could not be run. */
const NOT_STARTED = 126;

async function describeExit(folder: JobFolder, { code, why }: ExitRecord, stop: StopRecord | undefined): Promise<string> {
  const reason =
    stop?.reason === 'OOMKilled' ? 'it used more memory than spec.resources.limits.memory allows (OOMKilled)'
    : stop ? 'it was stopped'
    : why ? `it could not be started: ${why}`
    : code === LOST ? 'its process disappeared'
    : code > 128 ? `it was killed by signal ${code - 128}`
    : `exit code ${code}`;
  const tail = await lastLines(folder.file('log.txt'), TAIL_LINES);
  return tail ? `${reason}; the last lines of its log:\n${tail}` : reason;
}

async function lastLines(file: string, count: number): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return '';
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, 8192);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count).join('\n');
  } finally {
    await handle.close();
  }
}
