import { fork, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
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
}

const START_TIMEOUT_MS = 60_000;
// Longer than the 30 s that the controller gives a stage for its checkpoint: it must see its jobs end.
const STOP_TIMEOUT_MS = 60_000;

/** One of the platform's services as a child process: it ends when this process does, however that ends. */
export class Service {
  private constructor(
    readonly options: ServiceOptions,
    private readonly child: ChildProcess,
  ) {}

  /** @throws CliError when the port is taken or the service does not come up */
  static async start(options: ServiceOptions): Promise<Service> {
    await checkPort(options);
    await mkdir(dirname(options.logFile), { recursive: true });
    const log = createWriteStream(options.logFile, { flags: 'a' });
    await new Promise((resolve, reject) => log.once('open', resolve).once('error', reject));
    const here = dirname(fileURLToPath(import.meta.url));
    const child = fork(join(here, `../../../${options.app}/src/main.js`), [], {
      execArgv: ['--import', join(here, 'exit-with-parent.js')],
      env: { ...options.environment, PORT: String(options.port), HOST: '127.0.0.1' },
      stdio: ['ignore', log, log, 'ipc'],
    });
    const service = new Service(options, child);
    await service.untilHealthy();
    return service;
  }

  get url(): string {
    return `http://127.0.0.1:${this.options.port}`;
  }

  onExit(listener: () => void): void {
    this.child.once('exit', listener);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const killer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(killer);
  }

  private async untilHealthy(): Promise<void> {
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (Date.now() < deadline) {
      if (this.child.exitCode !== null || this.child.signalCode !== null) {
        throw new CliError('ServiceFailed', `the ${this.options.name} ended at its start: see ${this.options.logFile}`);
      }
      const up = await fetch(this.url + this.options.healthPath, { signal: AbortSignal.timeout(2_000) }).then((r) => r.ok, () => false);
      if (up) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await this.stop();
    throw new CliError('ServiceFailed', `the ${this.options.name} did not come up within ${START_TIMEOUT_MS / 1000} s: see ${this.options.logFile}`);
  }
}

async function checkPort({ name, port, portOption }: ServiceOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once('error', () => reject(new CliError('ServiceFailed', `port ${port} for the ${name} is in use: stop what listens there, or choose another with ${portOption}`)));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve()));
  });
}
