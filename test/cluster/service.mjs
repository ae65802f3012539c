import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const STOP_MS = 15_000;

/** A server that we start and stop. It writes to a log of its own, and ends when we end, however we end. */
export class Service {
  #child;
  #stopping = false;

  /**
   * @param {{name: string, command: string[], folder: string, env?: Record<string, string>, restarts?: boolean}} options
   *   `folder`: where NAME.log goes; `restarts`: started again a second after it ended by itself
   */
  constructor({ name, command, folder, env = {}, restarts = false }) {
    Object.assign(this, { name, command, env, restarts, logFile: path.join(folder, `${name}.log`) });
  }

  get pid() {
    return this.isRunning() ? this.#child.pid : undefined;
  }

  /** How the last run ended: an exit code or the name of a signal; undefined while it runs. */
  get ending() {
    return this.#child?.exitCode ?? this.#child?.signalCode ?? undefined;
  }

  isRunning() {
    return this.#child !== undefined && this.ending === undefined;
  }

  start() {
    if (this.isRunning()) return;
    this.#stopping = false;
    const log = openSync(this.logFile, 'a');
    // The kernel kills it when its parent is gone: a killed test leaves nothing behind.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...this.command], { stdio: ['ignore', log, log], env: { ...process.env, ...this.env } });
    closeSync(log);
    this.#child = child;
    child.on('error', () => {});
    child.once('exit', () => this.restarts && this.#startAgain(child));
  }

  async #startAgain(child) {
    await sleep(1_000);
    if (this.#child === child && !this.#stopping) this.start();
  }

  /** Ends it as an administrator would, and waits until it has. */
  async stop() {
    await this.kill('SIGTERM');
  }

  /** Ends it with a signal and waits until it has ended; what does not heed the signal is killed. */
  async kill(signal = 'SIGKILL') {
    this.#stopping = true;
    if (!this.isRunning()) return;
    const child = this.#child;
    const ended = once(child, 'exit');
    child.kill(signal);
    const impatience = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await ended;
    clearTimeout(impatience);
  }

  async logTail(lines = 15) {
    const text = await readFile(this.logFile, 'utf8').catch(() => '');
    return text.trimEnd().split('\n').slice(-lines).join('\n');
  }
}
