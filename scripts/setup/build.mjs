import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { childEnvironment, runStep } from './child.mjs';
import { fingerprint, readStamp, writeStamp } from './fingerprint.mjs';
import { node24Path } from './node24.mjs';

const SOURCES = ['apps', 'libs', 'tsconfig.json', 'tsconfig.build.json', 'nest-cli.json', 'package-lock.json'];
const ENTRY = 'dist/apps/cli/src/main.js';

/** What the present sources hash to. Specs are left out: they are not built. */
export function fingerprintSources(root) {
  return fingerprint(root, SOURCES, (file) => !file.endsWith('.spec.ts'));
}

/** Whether dist was built from the present sources. */
export async function isBuilt(root) {
  const [stamp, sources] = await Promise.all([readStamp(root, 'build'), fingerprintSources(root)]);
  return stamp === sources && (await isThere(path.join(root, ENTRY)));
}

/** Compiles every app and lib to dist, with the aliases of the libs rewritten to paths that plain Node resolves. */
export async function build({ root }) {
  const sources = await fingerprintSources(root);
  // The compiler leaves out what its record says it has already written: without the record, everything is written anew.
  await rm(path.join(root, 'dist/tsconfig.build.tsbuildinfo'), { force: true });
  const node = node24Path(root);
  await runStep(node, [path.join(root, 'node_modules/@nestjs/cli/bin/nest.js'), 'build', 'controller'], { cwd: root, env: childEnvironment(node) });
  await writeStamp(root, 'build', sources);
}

const isThere = (file) => stat(file).then(() => true, () => false);
