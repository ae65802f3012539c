import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CliError } from '../cli.error.js';

export interface ServiceOptions {
  name: string;
  /** The program below dist/apps. */
  app: 'controller' | 'inference' | 'avatar-source';
  port: number;
  /** The option by which its port can be changed: named when the port is taken. */
  portOption: string;
  environment: NodeJS.ProcessEnv;
  logFile: string;
  /** The path that answers 200 once the service is up. */
  healthPath: string;
  /** Tells the user that it died and is started again. */
  note(line: string): void;
}

const START_TIMEOUT_MS = 60_000;
const PORT_PATIENCE_MS = 3_000;
// Longer than the 30 s that the controller gives a stage for its checkpoint: it must see its jobs end.
const STOP_TIMEOUT_MS = 60_000;
const RESTART_AFTER_MS = 500;
/** One that dies more often than this within a minute is not started again. */
const RESTARTS_A_MINUTE = 5;

/**
 * One of the platform's services as a child process. It is started again when it dies, and ends when this process does, however that
 * ends. It is a group of its own, so that Ctrl-C in a terminal reaches it only through this process.
 */
export class Service {
  private child!: ChildProcess;
  private stopping = false;
  private readonly deaths: number[] = [];
  private giveUp!: (error: CliError) => void;
  /** Rejects when the service cannot be kept running. */
  readonly lost: Promise<never>;

  private constructor(readonly options: ServiceOptions) {
    this.lost = new Promise((_, reject) => (this.giveUp = reject));
    this.lost.catch(() => undefined);
  }

  /** @throws CliError when the port is taken or the service does not come up; stops it when `signal` aborts meanwhile */
  static async start(options: ServiceOptions, signal: AbortSignal): Promise<Service> {
    await checkPort(options);
    mkdirSync(dirname(options.logFile), { recursive: true });
    const service = new Service(options);
    service.launch();
    try {
      await service.untilHealthy(signal);
    } catch (error) {
      await service.stop();
      throw error;
    }
    service.keep();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(killer);
  }

  /** Makes a service that is stopping wait for nothing more. */
  hurry(): void {
    this.child.kill('SIGINT');
  }

  private get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  private launch(): void {
    const { app, environment, port, logFile } = this.options;
    const here = dirname(fileURLToPath(import.meta.url));
    const log = openSync(logFile, 'a');
    this.child = fork(join(here, `../../../${app}/src/main.js`), [], {
      execArgv: ['--import', join(here, 'exit-with-parent.js')],
      env: { ...environment, PORT: String(port), HOST: '127.0.0.1' },
      stdio: ['ignore', log, log, 'ipc'],
      detached: true,
    });
    closeSync(log);
  }

  private keep(): void {
    if (this.hasEnded) void this.restart();
    else this.child.once('exit', () => void this.restart());
  }

  private async restart(): Promise<void> {
    if (this.stopping) return;
    const { name, logFile, note } = this.options;
    const how = this.child.signalCode ?? `exit code ${this.child.exitCode}`;
    this.deaths.push(Date.now());
    if (this.deaths.filter((at) => Date.now() - at < 60_000).length > RESTARTS_A_MINUTE) {
      return this.giveUp(new CliError('ServiceFailed', `the ${name} keeps ending (${how}): see ${logFile}`));
    }
    note(`the ${name} ended (${how}): starting it again`);
    await sleep(RESTART_AFTER_MS);
    if (this.stopping) return;
    this.launch();
    this.keep();
  }

  private async untilHealthy(signal: AbortSignal): Promise<void> {
    const { name, logFile, healthPath } = this.options;
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      signal.throwIfAborted();
      // Killed by somebody is not its own doing: what it would say itself comes with an exit code.
      if (this.child.signalCode !== null) this.launch();
      if (this.child.exitCode !== null) throw new CliError('ServiceFailed', `the ${name} ended at its start: see ${logFile}`);
      const up = await fetch(this.url + healthPath, { signal: AbortSignal.timeout(2_000) }).then((r) => r.ok, () => false);
      if (up) return;
      await sleep(100);
    }
    throw new CliError('ServiceFailed', `the ${name} did not come up within ${START_TIMEOUT_MS / 1000} s: see ${logFile}`);
  }
}

/** Waits a little for a port in use: whoever was killed with the port in hand may not be gone yet. */
async function checkPort(options: ServiceOptions): Promise<void> {
  const deadline = Date.now() + PORT_PATIENCE_MS;
  for (;;) {
    const problem = await tryPort(options).then(() => undefined, (error: Error) => error);
    if (!problem) return;
    if (Date.now() > deadline) throw problem;
    await sleep(100);
  }
}

async function tryPort({ name, port, portOption }: ServiceOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(new CliError('ServiceFailed', `port ${port} for the ${name} is in use: stop what listens there, or choose another with ${portOption}`)));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}
