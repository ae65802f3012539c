import { spawn } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** The environment of a child: what it starts by the name `node` is the Node that runs it. */
export function childEnvironment(program, extra = {}) {
  return { ...process.env, PATH: `${path.dirname(program)}${path.delimiter}${process.env.PATH ?? ''}`, ...extra };
}

/**
 * Runs a program in the place of this one: its streams are ours, signals reach it, and its exit code is returned
 * (128 + the number of the signal that ended it).
 * @param {string} program a path
 * @param {string[]} args
 * @param {{root: string, env?: Record<string, string>}} options the working directory stays the caller's, so that relative paths mean what the user meant
 * @returns {Promise<number>}
 */
export function runForwarding(program, args, { root, env = {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', env: childEnvironment(program, { CARICATURE_ROOT: root, ...env }) });
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole group: passing it on would deliver it twice.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      for (const name of signals) process.off(name, forward);
      resolve(signal ? 128 + os.constants.signals[signal] : code);
    });
  });
}

/**
 * Runs a step of the set-up to its end and hands its output, line by line, to `onLine`.
 * @throws {Error} with the last lines of the output when it fails.
 */
export function runStep(program, args, { cwd, env = process.env, onLine = () => {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const tail = [];
    const take = (text) => {
      for (const line of String(text).split('\n').filter((l) => l.trim())) {
        tail.push(line);
        if (tail.length > 40) tail.shift();
        onLine(line);
      }
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('error', reject);
    child.on('close', (code, signal) => (code === 0 ? resolve() : reject(new Error(`${path.basename(program)} ended with ${signal ?? code}:\n${tail.join('\n')}`))));
  });
}
