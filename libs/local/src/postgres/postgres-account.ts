import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { getuid } from 'node:process';

import { DatabaseStartError } from './postgres.errors.js';

// A fixed one: nothing of the caller's reaches the server, and the same folder works whatever locales a machine has.
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', TZ: 'UTC' };

/** The operating system's account that PostgreSQL runs under. */
export interface PostgresAccount {
  /** Undefined: the account that this process runs under. */
  owner?: { uid: number; gid: number };
  /** Runs a program to its end and gives its output; throws DatabaseStartError with what it printed. */
  run(program: string, args: string[]): Promise<string>;
}

/**
 * PostgreSQL refuses to run as root. Root therefore runs it as the account `postgres`, or else `nobody`; where that account
 * cannot reach `paths` (a project under /root), it keeps the one capability of passing by file permissions.
 */
export async function findPostgresAccount(paths: string[]): Promise<PostgresAccount> {
  if (getuid?.() !== 0) return { run: (program, args) => execute(program, args) };
  const owner = await findUnprivilegedUser();
  const direct: PostgresAccount = { owner, run: (program, args) => execute(program, args, owner) };
  if (await reachesAll(direct, paths)) return direct;
  const passing = passingPermissions(owner);
  if (await reachesAll(passing, paths)) return passing;
  throw new DatabaseStartError(
    `PostgreSQL cannot run as root, and the account with uid ${owner.uid} may not enter ${paths.join(' or ')}: ` +
      'run as an ordinary user, or move the project to a folder that everybody may enter',
  );
}

async function findUnprivilegedUser(): Promise<{ uid: number; gid: number }> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const entry = lines.find(([name]) => name === 'postgres') ?? lines.find(([name]) => name === 'nobody');
  if (!entry) throw new DatabaseStartError('PostgreSQL cannot run as root and /etc/passwd has neither postgres nor nobody: run as an ordinary user');
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

function passingPermissions(owner: { uid: number; gid: number }): PostgresAccount {
  const identity = [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups'];
  // The secure bit makes access(2), by which PostgreSQL looks at its own files, heed the capability as well.
  const capability = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  return { owner, run: (program, args) => execute('setpriv', [...identity, ...capability, program, ...args]) };
}

async function reachesAll(account: PostgresAccount, paths: string[]): Promise<boolean> {
  for (const path of paths) {
    const reached = await account.run('/usr/bin/test', ['-x', path]).then(() => true, () => false);
    if (!reached) return false;
  }
  return true;
}

function execute(program: string, args: string[], owner: { uid?: number; gid?: number } = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...owner, cwd: '/', env: ENVIRONMENT });
    let output = '';
    const keep = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', (error) => reject(new DatabaseStartError(`${program} did not start: ${error.message}`, { cause: error })));
    child.on('exit', (code) => (code === 0 ? resolve(output) : reject(new DatabaseStartError(`${program} failed: ${output.trim()}`))));
  });
}
