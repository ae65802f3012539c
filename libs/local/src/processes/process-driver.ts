import { spawn } from 'node:child_process';
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { openSync, readFileSync, closeSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceOwner, StageAssignment } from '@caricature/contracts';
import type { Execution, JobObservation, PodDriver } from '@caricature/reconciler';
import { isAlive, JobFolder, listJobFolders, removeOwner, startTicksOf, type ProcessIdentity } from './process-record.js';
import { inheritedPath } from './inherited-path.env.js';
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
  private readonly graceMs: number;
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
    await this.start(folder, execution);
  }

  async stop(owner: ResourceOwner, job: string): Promise<void> {
    const folder = new JobFolder(this.options.root, owner.uid, job);
    const state = await folder.read<ProcessState>('process.json');
    if (!state || !isAlive(state)) return;
    if (!(await folder.read('stop.json'))) await folder.write('stop.json', { at: new Date().toISOString(), reason: 'Stopped' } satisfies StopRecord);
    const stop = (await folder.read<StopRecord>('stop.json'))!;
    const overdue = Date.now() - Date.parse(stop.at) > this.graceMs;
    this.signal(folder, state, overdue ? 'SIGKILL' : 'SIGTERM');
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

  private async start(folder: JobFolder, execution: Execution): Promise<void> {
    const assignment = (await folder.read<StageAssignment>('assignment.json'))!;
    const log = openSync(folder.file('log.txt'), 'a');
    // The shell outlives a SIGTERM to its group (its trap runs when the worker has ended), so the exit code is always written.
    const script = 'trap : TERM INT; "$@" & child=$!; echo $child > "$PID_FILE"; while :; do wait $child; code=$?; kill -0 $child 2>/dev/null || break; done; printf \'{"code":%d,"at":"%s"}\' $code "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)" > "$EXIT_FILE.tmp"; mv "$EXIT_FILE.tmp" "$EXIT_FILE"';
    const limit = memoryLimitBytes(execution.resources);
    const child = spawn('/bin/sh', ['-c', script, 'sh', process.execPath, ...this.options.worker, assignment.stage, '--assignment', folder.file('assignment.json')], {
      cwd: folder.path,
      detached: true,
      stdio: ['ignore', log, log],
      env: {
        PATH: inheritedPath(),
        ...this.options.environment,
        CARICATURE_TOKEN_FILE: folder.file('token'),
        CARICATURE_SPOOL: folder.file('spool'),
        EXIT_FILE: folder.file('exit.json'),
        PID_FILE: folder.file('worker.pid'),
        ...(limit ? { CARICATURE_MEMORY_LIMIT_BYTES: String(limit) } : {}),
      },
    });
    closeSync(log);
    child.on('error', (error) => void folder.write('exit.json', { code: 126, at: new Date().toISOString(), error: String(error) }));
    if (child.pid === undefined) return;
    child.unref();
    const state: ProcessState = { pid: child.pid, startTicks: startTicksOf(child.pid) ?? '', startTime: new Date().toISOString() };
    await folder.write('process.json', state);
  }

  /** Undefined when the folder went meanwhile: its owner was deleted. */
  private async observe(folder: JobFolder): Promise<JobObservation | undefined> {
    const assignment = await folder.read<StageAssignment>('assignment.json');
    if (!assignment) return undefined;
    const state = await folder.read<ProcessState>('process.json');
    const job = { name: folder.job, stage: assignment.stage, attempt: assignment.attempt, terminal: false, disrupted: false };
    if (!state) return { ...job, state: 'Pending' };
    const exit = await this.readExit(folder, state);
    if (!exit) return { ...job, state: 'Running', startTime: state.startTime };
    const ended = { ...job, startTime: state.startTime, completionTime: exit.at };
    if (exit.code === 0) return { ...ended, state: 'Succeeded' };
    const stop = await folder.read<StopRecord>('stop.json');
    return {
      ...ended,
      state: 'Failed',
      terminal: exit.code === IMPOSSIBLE,
      disrupted: exit.code === INTERRUPTED || exit.code === LOST || stop?.reason === 'Stopped',
      message: await describeExit(folder, exit.code, stop),
    };
  }

  private async readExit(folder: JobFolder, state: ProcessState): Promise<ExitRecord | undefined> {
    const exit = await folder.read<ExitRecord>('exit.json');
    if (exit) return exit;
    if (isAlive(state)) return undefined;
    // The shell itself is gone: it may have written its record between the two looks; if not, the machine or the shell was killed.
    const late = await folder.read<ExitRecord>('exit.json');
    if (late) return late;
    await this.killOrphan(folder);
    const lost: ExitRecord = { code: LOST, at: new Date().toISOString() };
    await folder.write('exit.json', lost);
    return lost;
  }

  /** A worker whose shell was killed would go on beside its own successor: end it. It is only ours if it still runs our assignment. */
  private async killOrphan(folder: JobFolder): Promise<void> {
    const pid = Number(await readFile(folder.file('worker.pid'), 'utf8').catch(() => ''));
    if (!pid) return;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.split('\0').includes(folder.file('assignment.json'))) process.kill(pid, 'SIGKILL');
  }

  private signal(folder: JobFolder, state: ProcessState, signal: 'SIGTERM' | 'SIGKILL'): void {
    try {
      if (signal === 'SIGTERM') process.kill(-state.pid, 'SIGTERM');
      else process.kill(Number(readFileSync(folder.file('worker.pid'), 'utf8')), 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH' && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  private async enforceMemory(folder: JobFolder): Promise<void> {
    const pid = Number(await readFile(folder.file('worker.pid'), 'utf8').catch(() => ''));
    if (!pid) return;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    const limit = Number(/(?:^|\0)CARICATURE_MEMORY_LIMIT_BYTES=(\d+)/.exec(environment)?.[1] ?? 0);
    if (limit === 0 || residentBytes(pid) <= limit) return;
    await folder.write('stop.json', { at: new Date().toISOString(), reason: 'OOMKilled' } satisfies StopRecord);
    process.kill(pid, 'SIGKILL');
  }
}

/** Neither the process nor a record of its end is there: the machine went down, or the shell was killed. */
const LOST = -1;

async function describeExit(folder: JobFolder, code: number, stop: StopRecord | undefined): Promise<string> {
  const reason =
    stop?.reason === 'OOMKilled' ? 'it used more memory than spec.resources.limits.memory allows (OOMKilled)'
    : stop ? 'it was stopped'
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
