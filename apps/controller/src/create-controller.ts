import 'reflect-metadata';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { createArtifactStore } from '@caricature/artifacts';
import { applyMigrations, createDatabase, type Database } from '@caricature/database';
import { PostgresResourceStore, ProcessDriver, startEmbeddedPostgres } from '@caricature/local';
import { ControllerMetrics, createRegistry } from '@caricature/metrics';
import { isLoopback, type ControllerEnv } from './controller.env.js';
import { ControllerModule, type ControllerParts } from './controller.module.js';
import { findProjectRoot } from './project-root.js';
import { ReconcileLoop } from './reconcile/reconcile-loop.js';
import { LiveFeed } from './reports/live-feed.js';
import { StageReports } from './reports/stage-reports.js';
import { serveWeb } from './web/serve-web.js';

const LARGEST_BODY = '16mb';
const RESTART_MS = 1000;

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
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const database = await openDatabase(env, log, undo);
    const { parts, environment, driver } = createParts(env, database, options.worker, log, undo);
    await parts.reports.restore((await Promise.all([parts.resources.list('CrawlJob'), parts.resources.list('TrainingRun')])).flat(), database);
    const app = await listen(parts, log, undo);
    const url = addressOf(app, env);
    environment['CARICATURE_CONTROLLER_URL'] = url;
    // While the API still answers: the workers' last reports must find it.
    undo.push(() => driver.stopAll());
    if (options.reconciles !== false) keepReconciling(parts.loop, log, undo);
    return { app, url, database, close, hurry: () => driver.hurry() };
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
  await applyMigrations({ url, log });
  const database = createDatabase(url);
  undo.push(() => database.close());
  return database;
}

function createParts(env: ControllerEnv, database: Database, worker: string[] | undefined, log: (line: string) => void, undo: (() => Promise<unknown> | void)[]) {
  // The address is known only when the API listens; no worker is started before.
  const environment: Record<string, string> = { ...env.workerEnvironment, CARICATURE_ARTIFACTS_URI: env.artifactsUri, CARICATURE_SCRATCH: join(env.home, 'scratch') };
  const driver = new ProcessDriver({ root: join(env.home, 'jobs'), worker: worker ?? [join(findProjectRoot(), 'dist/apps/worker/src/main.js')], environment });
  const resources = new PostgresResourceStore(database);
  const reports = new StageReports();
  const metrics: ControllerMetrics = new ControllerMetrics(createRegistry(), () => loop.depth);
  const loop: ReconcileLoop = new ReconcileLoop({
    store: resources,
    driver,
    database,
    log,
    reports: (uid) => reports.of(uid),
    onReconciled: (kind, result, seconds) => {
      metrics.reconciles.inc({ kind, result });
      metrics.reconcileSeconds.observe({ kind }, seconds);
    },
  });
  const artifacts = createArtifactStore(env.artifactsUri, { onBytes: (op, bytes) => metrics.artifactBytes.inc({ op }, bytes) });
  undo.push(() => artifacts.close());
  const parts: ControllerParts = { env, database, artifacts, resources, driver, loop, reports, feed: new LiveFeed(), metrics };
  return { parts, environment, driver };
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

/** A lost connection or file ends the watches: they are begun again, for as long as the controller lives. */
function keepReconciling(loop: ReconcileLoop, log: (line: string) => void, undo: (() => Promise<unknown> | void)[]): void {
  const stop = new AbortController();
  const run = async () => {
    while (!stop.signal.aborted) {
      const round = new AbortController();
      try {
        await loop.start(AbortSignal.any([stop.signal, round.signal]));
      } catch (error) {
        log(`watching failed and is begun again: ${error instanceof Error ? error.message : String(error)}`);
      }
      round.abort();
      await sleep(RESTART_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  };
  const running = run();
  undo.push(async () => {
    stop.abort();
    await running;
  });
}
