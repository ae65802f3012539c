import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { type EmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.js';
import { DatabaseInUseError, DatabaseStartError } from './postgres.errors.js';

let folder: string;
let dataDir: string;
let running: EmbeddedPostgres | undefined;

const start = async (options: { port?: number } = {}) => (running = await startEmbeddedPostgres({ dataDir, log: () => {}, ...options }));
const stop = async () => {
  await running?.stop();
  running = undefined;
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caricature postgres ')); // for its owner only, and with a space
  dataDir = join(folder, 'database');
});
afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

describe('startEmbeddedPostgres', () => {
  it('keeps data, port and password over a restart', async () => {
    const { url } = await start();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stop();
    await expect(query(url, 'SELECT 1')).rejects.toThrow();
    expect((await start()).url).toBe(url);
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('lets in nobody without the password, which only its owner can read', async () => {
    const { url } = await start();
    await expect(query(Object.assign(new URL(url), { password: 'guess' }).href, 'SELECT 1')).rejects.toThrow('password');
    expect((await stat(join(dataDir, 'connection.json'))).mode & 0o777).toBe(0o600);
    expect(await query(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  });

  it('refuses a second controller on the same folder', async () => {
    await start();
    await expect(startEmbeddedPostgres({ dataDir, log: () => {} })).rejects.toThrow(DatabaseInUseError);
  });

  it('lets one of two controllers starting at once make the database', async () => {
    const starts = await Promise.allSettled([start(), startEmbeddedPostgres({ dataDir, log: () => {} })]);
    expect(starts.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    running = starts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))[0];
  });

  it('takes over the server of a controller that was killed', async () => {
    const controller = await startElsewhere();
    await query(controller.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = await serverPid();
    controller.kill();
    await controller.exited;
    const { url } = await start();
    expect(url).toBe(controller.url);
    expect(await serverPid()).toBe(pid);
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('recovers what a killed server had committed', async () => {
    const { url } = await start();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(await serverPid(), 'SIGKILL');
    await expect.poll(() => query(url, 'SELECT 1').then(() => true, () => false)).toBe(false);
    await stop();
    expect(await query((await start()).url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('starts a killed server again at the same address, though one of its processes is still at work', async () => {
    const { url } = await start();
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const busy = query(url, 'SELECT count(*) FROM generate_series(1, 1e10)').catch((error: Error) => error);
    await expect.poll(() => query(url, "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE '%1e10%' AND pid <> pg_backend_pid()")).toEqual([{ n: 1 }]);
    process.kill(await serverPid(), 'SIGKILL');
    await expect.poll(() => query(url, 'SELECT answer FROM kept').catch(() => []), { timeout: 20_000 }).toEqual([{ answer: 42 }]);
    expect(await busy).toBeInstanceOf(Error);
  }, 30_000);

  it('is not misled by a pid file whose process id now belongs to another program', async () => {
    await start();
    await stop();
    await writeFile(join(dataDir, 'cluster/postmaster.pid'), `${process.pid}\n`);
    expect(await query((await start()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('makes a database anew that it was killed while making', async () => {
    await start();
    await stop();
    await rm(join(dataDir, 'cluster'), { recursive: true });
    await chmod(join(dataDir, 'log'), 0o755);
    await writeFile(join(dataDir, 'cluster.unfinished'), '');
    expect(await query((await start()).url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('moves to another port when its own was taken', async () => {
    const { url } = await start();
    await stop();
    const squatter = createServer().listen(Number(new URL(url).port), '127.0.0.1');
    await once(squatter, 'listening');
    const moved = await start();
    squatter.close();
    expect(moved.url).not.toBe(url);
    expect(await query(moved.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('says which port asked for is in use', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    const failure = await start({ port }).catch((error: unknown) => error);
    squatter.close();
    expect(failure).toBeInstanceOf(DatabaseStartError);
    expect((failure as Error).message).toMatch(new RegExp(`port ${port}: .*Address already in use`));
  });
});

const serverPid = async () => Number((await readFile(join(dataDir, 'cluster/postmaster.pid'), 'utf8')).split('\n')[0]);

/** Another process that starts the server and then lives on until it is killed. */
async function startElsewhere() {
  const program = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve: (name, context, next) => next(name.startsWith('./') ? name.replace(/\\.js$/, '.ts') : name, context) });
    const { startEmbeddedPostgres } = await import(${JSON.stringify(join(import.meta.dirname, 'embedded-postgres.ts'))});
    console.log((await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log: () => {} })).url);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = (await Promise.race([once(child.stdout, 'data'), exited.then(() => { throw new Error('the controller ended'); })])) as [Buffer];
  return { url: line.toString().trim(), exited, kill: () => child.kill('SIGKILL') };
}

async function query(connectionString: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
