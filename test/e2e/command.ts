import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { TrainingRunStatus } from '@caricature/contracts';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface FinishedResource {
  kind: string;
  metadata: { name: string; uid: string };
  status: TrainingRunStatus;
}

/** One user's machine: a home of its own and free ports for the built program. */
export class Machine {
  readonly home = mkdtempSync(join(tmpdir(), 'caricature-e2e-'));
  private readonly running = new Set<ChildProcess>();

  private constructor(private readonly ports: [number, number, number]) {}

  static async create(): Promise<Machine> {
    return new Machine([await freePort(), await freePort(), await freePort()]);
  }

  get controllerUrl(): string {
    return `http://127.0.0.1:${this.ports[0]}`;
  }

  get inferenceUrl(): string {
    return `http://127.0.0.1:${this.ports[1]}`;
  }

  get resultFile(): string {
    return join(this.home, 'result.json');
  }

  /** `caricature start …` with this machine's home and ports. */
  start(...args: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; output: string }>; until(text: string): Promise<void> } {
    const [port, inference, avatars] = this.ports.map(String);
    return this.run('start', '--home', this.home, '--port', port!, '--inference-port', inference!, '--avatar-port', avatars!, ...args);
  }

  run(...args: string[]): ReturnType<Machine['start']> {
    const child = spawn(process.execPath, [join(ROOT, 'dist/apps/cli/src/main.js'), ...args], { cwd: this.home, env: { ...process.env, CI: 'true' } });
    this.running.add(child);
    let output = '';
    const waiters = new Set<() => void>();
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output += chunk.toString('utf8');
        for (const check of waiters) check();
      });
    }
    const ended = new Promise<{ code: number | null; output: string }>((done) => child.once('close', (code) => done({ code, output })));
    const until = (text: string) =>
      new Promise<void>((found, lost) => {
        const check = () => output.includes(text) && found();
        waiters.add(check);
        child.once('close', () => lost(new Error(`ended without saying "${text}":\n${output}`)));
        check();
      });
    return { child, ended, until };
  }

  async results(): Promise<FinishedResource[]> {
    return JSON.parse(await readFile(this.resultFile, 'utf8')) as FinishedResource[];
  }

  async clear(): Promise<void> {
    for (const child of this.running) if (child.exitCode === null) child.kill('SIGTERM');
    await rm(this.home, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
  }
}

/** Below those that the system gives to outgoing connections: the machine is started on it again and again, and must find it free. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(() => true, () => false);
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
