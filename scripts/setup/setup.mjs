import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, isBuilt } from './build.mjs';
import { areDependenciesInstalled, installDependencies } from './dependencies.mjs';
import { exclusively } from './exclusive.mjs';
import { prepareNode24 } from './node24.mjs';
import { hydratePostgres } from './postgres.mjs';
import { describeMissing, findMissingPrerequisites, requirePlatform } from './prerequisites.mjs';
import { generatePrisma } from './prisma.mjs';
import { installTensorflow, TensorflowInstallError } from './tensorflow.mjs';

/**
 * Brings a clone to where its commands run: dependencies, Node 24, PostgreSQL, database client, TensorFlow, compiled sources.
 * Each step looks for itself whether it has anything to do, says so only if it has, and appears whole or not at all:
 * to be killed and run again at any time, and twice at once.
 * @param {{root: string, log: (line: string) => void, build?: boolean}} options `build: false` leaves the sources as they are (tests read them directly)
 */
export function setUp({ root, log, build: wantsBuild = true }) {
  requirePlatform();
  const work = () => runSteps(root, log, wantsBuild);
  return exclusively(root, work, () => log('another process is setting this clone up: waiting for it'));
}

async function runSteps(root, log, wantsBuild) {
  if (!(await areDependenciesInstalled(root))) {
    await warnOfMissing(log);
    await timed(log, 'installing dependencies', () => installDependencies({ root, log }));
  }
  await prepareNode24({ root });
  await hydratePostgres({ root, log });
  await generatePrisma({ root, log });
  await installTensorflow({ root, log }).catch((error) => goWithoutTensorflow(error, log));
  if (wantsBuild && !(await isBuilt(root))) await timed(log, 'building', () => build({ root }));
}

/** Nobody is locked out by a machine that TensorFlow cannot be had for: the same code computes on WebAssembly, which comes with the dependencies. */
function goWithoutTensorflow(error, log) {
  if (!(error instanceof TensorflowInstallError)) throw error;
  log(`warning: ${error.message}`);
  log('going on without it: WebAssembly computes in its place, several times slower (docs/models.md); the next set-up tries again');
}

/** Said before the long part, not after it. Not an error yet: where its host answers, TensorFlow's prebuilt binary does without. */
async function warnOfMissing(log) {
  const missing = await findMissingPrerequisites();
  if (missing.length > 0) log(`warning: ${describeMissing(missing)}`);
}

async function timed(log, title, step) {
  const start = performance.now();
  log(`${title} …`);
  await step();
  log(`${title}: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

/** By itself where there is nothing but a clone: setup.mjs [--without-build]. */
if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
  await setUp({ root, log: (line) => console.log(line), build: !process.argv.includes('--without-build') });
}
