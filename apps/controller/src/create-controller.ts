import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createArtifactStore } from '@caricature/artifacts';
import { applyMigrations, createDatabase, untilReachable, type Database } from '@caricature/database';
import { startEmbeddedPostgres } from '@caricature/local';
import { ControllerMetrics, createRegistry } from '@caricature/metrics';
import { isLoopback, type ControllerEnv } from './controller.env.js';
import { ControllerModule, type ControllerParts } from './controller.module.js';
import { findProjectRoot } from './project-root.js';
import { createKubernetesPlatform } from './platform/kubernetes.platform.js';
import { createLocalPlatform } from './platform/local.platform.js';
import { Operation } from './reconcile/operation.js';
import { LiveFeed } from './reports/live-feed.js';
import { passOnReports } from './reports/report-notices.js';
import { serveWeb } from './web/serve-web.js';

const LARGEST_BODY = '16mb';
/** Less than the start-up probe of the chart. */
const DATABASE_PATIENCE_MS = 240_000;

export interface ControllerOptions {
  log?: (line: string) => void;
  /** The worker's program, as arguments of Node; the built worker of this project unless told. */
  worker?: string[];
  /** False: only the API is served, and no resource is worked on. */
  reconciles?: boolean;
}

export interface Controller {
  app: NestExpressApplication;
  /** Where it listens. */
  url: string;
  database: Database;
  /** Stops reconciling, the workers at their checkpoints, then answering. */
  close(): Promise<void>;
  /** Makes `close` wait for no checkpoint. */
  hurry(): void;
}

/**
 * Starts everything that operates resources on this machine: Postgres (an embedded one unless `env` names another), the reconcile loop,
 * the HTTP API. Throws EADDRINUSE when the port is taken, DatabaseInUseError when another controller has the folder.
 */
export async function createController(env: ControllerEnv, options: ControllerOptions = {}): Promise<Controller> {
  const log = options.log ?? (() => undefined);
  const undo: (() => Promise<unknown> | void)[] = [];
  // Each step is taken whatever becomes of those before it: a full disk must not leave the database server behind.
  const close = async () => {
    const problems: unknown[] = [];
    for (const step of undo.splice(0).reverse()) await Promise.resolve().then(step).catch((problem: unknown) => problems.push(problem));
    if (problems.length > 0) throw problems[0];
  };
  try {
    const database = await openDatabase(env, log, undo);
    const parts = createParts(env, database, options.worker, log, undo);
    const app = await listen(parts, log, undo);
    const url = addressOf(app, env);
    parts.platform.listening(url);
    // While the API still answers: the workers' last reports must find it.
    undo.push(() => parts.platform.stopWorkers());
    runInBackground(parts, options.reconciles !== false, log, undo);
    return { app, url, database, close, hurry: () => parts.platform.hurry() };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openDatabase(env: ControllerEnv, log: (line: string) => void, undo: (() => Promise<unknown> | void)[]): Promise<Database> {
  await mkdir(env.home, { recursive: true });
  let url = env.databaseUrl;
  if (url === undefined) {
    const postgres = await startEmbeddedPostgres({ dataDir: join(env.home, 'postgres'), log });
    undo.push(() => postgres.stop());
    url = postgres.url;
  }
  const migrate = () => applyMigrations({ url, log });
  // On a cluster both may be on their way to another node; ending each time would only make Kubernetes wait longer between two starts.
  await (env.kubernetes ? untilReachable(migrate, { log, patienceMs: DATABASE_PATIENCE_MS }) : migrate());
  const database = createDatabase(url);
  undo.push(() => database.close());
  return database;
}

function createParts(env: ControllerEnv, database: Database, worker: string[] | undefined, log: (line: string) => void, undo: (() => Promise<unknown> | void)[]): ControllerParts {
  const metrics: ControllerMetrics = new ControllerMetrics(createRegistry(), () => operation.depth);
  const platform = env.kubernetes ? createKubernetesPlatform(env.kubernetes, database, metrics, log) : createLocalPlatform(env, database, worker, log);
  // The only controller of a machine has nobody to be elected from.
  if (!env.kubernetes) metrics.leader.set(1);
  undo.push(() => platform.close());
  const artifacts = createArtifactStore(env.artifactsUri, { onBytes: (op, bytes) => metrics.artifactBytes.inc({ op }, bytes) });
  undo.push(() => artifacts.close());
  const operation: Operation = new Operation(platform, {
    database,
    artifacts,
    log,
    onReconciled: (kind, result, seconds) => {
      metrics.reconciles.inc({ kind, result });
      metrics.reconcileSeconds.observe({ kind }, seconds);
    },
  });
  return { env, database, artifacts, platform, operation, feed: new LiveFeed(), metrics };
}

async function listen(parts: ControllerParts, log: (line: string) => void, undo: (() => Promise<unknown> | void)[]): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(ControllerModule.of(parts), { bodyParser: false, forceCloseConnections: true, abortOnError: false, logger: loggerOf(log) });
  app.useBodyParser('json', { limit: LARGEST_BODY });
  app.disable('x-powered-by');
  serveWeb(app, findProjectRoot());
  undo.push(async () => {
    parts.feed.close();
    await app.close();
  });
  await app.listen(parts.env.port, parts.env.host);
  return app;
}

/** Nest's words, but not what it says of an error that is thrown as well. */
function loggerOf(log: (line: string) => void): LoggerService {
  const say = (message: unknown, ...rest: unknown[]) => (rest.at(-1) === 'NestApplication' ? undefined : log(String(message)));
  return { log: () => undefined, warn: say, error: say };
}

function addressOf(app: NestExpressApplication, { host }: ControllerEnv): string {
  const { port } = app.getHttpServer().address() as { port: number };
  const name = host.includes(':') ? `[${host}]` : host;
  return `http://${isLoopback(host) ? name : '127.0.0.1'}:${port}`;
}

/** The loop, where it is to run, and the ear for what other replicas take in. */
function runInBackground({ operation, database, feed }: ControllerParts, reconciles: boolean, log: (line: string) => void, undo: (() => Promise<unknown> | void)[]): void {
  const stop = new AbortController();
  const failed = (error: unknown) => log(`the controller's loop ended: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  const running = [
    passOnReports(database, feed, (key, isUrgent) => operation.noteReport(key, isUrgent), stop.signal),
    ...(reconciles ? [operation.run(stop.signal).catch(failed)] : []),
  ];
  undo.push(async () => {
    stop.abort();
    await Promise.all(running);
  });
}
