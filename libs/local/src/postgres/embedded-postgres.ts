import { mkdir, realpath } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

import { type Cluster, type Connection, findFreePort, findRunningServer, initialiseCluster, openCluster, startServer, stopServer, writeConnection } from './postgres-cluster.js';
import { DatabaseInUseError, DatabaseStartError } from './postgres.errors.js';
import { takeProcessLock } from './process-lock.js';

export interface EmbeddedPostgresOptions {
  /** Made when missing; holds the data, the log and the connection's password. */
  dataDir: string;
  /** A free one is chosen, and kept, unless told. */
  port?: number;
  log: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** Of the database `caricature`, with its password: never write it to a log. */
  url: string;
  /** Stops the server and frees the folder. */
  stop(): Promise<void>;
}

const DATABASE = 'caricature';

const LOOK_AGAIN_MS = 500;

/**
 * A real PostgreSQL on 127.0.0.1 for one controller. The server is no child of this process: when the controller is killed it
 * runs on, and the next start takes it over; when the server is killed it is started again at the same address. Throws DatabaseInUseError when another controller has the folder, DatabaseStartError.
 */
export async function startEmbeddedPostgres({ dataDir, port, log }: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  await mkdir(dataDir, { recursive: true });
  const folder = await realpath(dataDir);
  const lock = await takeProcessLock(folder);
  if (!lock) throw new DatabaseInUseError(dataDir);
  try {
    const cluster = await openCluster(folder);
    const connection = await ensureRunning(cluster, await initialiseCluster(cluster, log), { port, log });
    await ensureDatabase(connection);
    const stopKeeping = keepRunning(cluster, connection, log);
    const stop = async () => {
      await stopKeeping();
      if (await findRunningServer(cluster)) await stopServer(cluster);
      await lock.release();
    };
    return { url: urlOf(connection, DATABASE), stop };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function ensureRunning(cluster: Cluster, known: Connection, { port, log }: Omit<EmbeddedPostgresOptions, 'dataDir'>): Promise<Connection> {
  if (await findRunningServer(cluster)) {
    if ((port === undefined || port === known.port) && (await answers(known))) {
      log('the database is still running: taking it over');
      return known;
    }
    await stopServer(cluster);
  }
  return startSomewhere(cluster, known, port);
}

/** On the port asked for; or on the one used last, or, where somebody else has taken that, on a free one. */
async function startSomewhere(cluster: Cluster, known: Connection, port: number | undefined): Promise<Connection> {
  const failures: unknown[] = [];
  for (const candidate of port === undefined ? [known.port, 0, 0] : [port]) {
    const connection = { ...known, port: candidate || (await findFreePort()) };
    await writeConnection(cluster, connection); // before the start, so that a server that runs can always be found
    try {
      await startServer(cluster, connection.port);
      return connection;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.at(-1);
}

/** Starts the server again whenever it has ended, until the function given back is called. */
function keepRunning(cluster: Cluster, { port }: Connection, log: (line: string) => void): () => Promise<void> {
  const stop = new AbortController();
  const keep = async () => {
    while (!stop.signal.aborted) {
      await sleep(LOOK_AGAIN_MS, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
      if (stop.signal.aborted || (await findRunningServer(cluster))) continue;
      log('the database server has ended: starting it again');
      await startServer(cluster, port).catch((error: Error) => log(error.message));
    }
  };
  const keeping = keep();
  return async () => {
    stop.abort();
    await keeping;
  };
}

async function answers(connection: Connection): Promise<boolean> {
  return withClient(connection, (client) => client.query('SELECT 1')).then(() => true, () => false);
}

async function ensureDatabase(connection: Connection): Promise<void> {
  try {
    await withClient(connection, async (client) => {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE]);
      if (!rowCount) await client.query(`CREATE DATABASE ${DATABASE}`);
    });
  } catch (cause) {
    throw new DatabaseStartError(`PostgreSQL runs on port ${connection.port} but refuses the connection: ${(cause as Error).message}`, { cause });
  }
}

async function withClient<T>(connection: Connection, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: urlOf(connection, 'postgres'), connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

function urlOf({ port, password }: Connection, database: string): string {
  return `postgresql://caricature:${password}@127.0.0.1:${port}/${database}`;
}
