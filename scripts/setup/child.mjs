import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

/** The environment of a child: what it starts by the name `node` is the Node that runs it. */
export function childEnvironment(program, extra = {}) {
  return { ...process.env, PATH: `${path.dirname(program)}${path.delimiter}${process.env.PATH ?? ''}`, ...extra };
}

/**
 * Runs a program in the place of this one, with this Node or another: its streams are ours, signals reach it, and its exit code is
 * returned (128 + the number of the signal that ended it). The working directory stays the caller's, so that relative paths mean what
 * the user meant.
 * @param {string} node a path
 * @param {string[]} args
 * @param {{env?: Record<string, string>, endsWithUs?: boolean}} [options] `endsWithUs`: it is stopped even when we, or the npm that
 *   started us, are killed with a signal that cannot be passed on
 * @returns {Promise<number>}
 */
export function runForwarding(node, args, { env = {}, endsWithUs = false } = {}) {
  return new Promise((resolve, reject) => {
    const preload = endsWithUs ? ['--import', new URL('exit-with-parent.mjs', import.meta.url).href] : [];
    const stdio = ['inherit', 'inherit', 'inherit', ...(endsWithUs ? ['ipc'] : [])];
    const child = spawn(node, [...preload, ...args], { stdio, env: childEnvironment(node, env) });
    const forward = (signal) => {
      // A terminal sends Ctrl-C to the whole group: passing it on would deliver it twice.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      child.kill(signal);
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    for (const signal of signals) process.on(signal, forward);
    const watch = endsWithUs ? watchNpm(() => child.kill('SIGTERM')) : undefined;
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(watch);
      for (const name of signals) process.off(name, forward);
      resolve(signal ? 128 + os.constants.signals[signal] : code);
    });
  });
}

/** Calls `onGone` once the npm that runs us has ended: its children then have another parent. */
function watchNpm(onGone) {
  if (process.env.npm_lifecycle_event === undefined) return undefined;
  const before = ancestry();
  return setInterval(() => ancestry() !== before && onGone(), 1_000);
}

/** Our parent and, as npm runs scripts by a shell that may stay in between, that shell's parent. */
function ancestry() {
  try {
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${process.ppid}/stat`, 'utf8'));
    return /^(sh|dash|bash)$/.test(name) ? `${process.ppid} ${parent}` : `${process.ppid}`;
  } catch {
    return 'gone';
  }
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
