// The rules of the house that a machine can check: who may import whom, where the environment is read, and the types.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { childEnvironment, runStep } from '../setup/child.mjs';

/**
 * Runs every check and prints what each finds.
 * @param {string} root
 * @returns {Promise<{passed: number, failed: number}>}
 */
export async function lint(root) {
  const checks = [
    ['who may import whom', () => tool(root, 'dependency-cruiser/bin/dependency-cruiser.mjs', ['--config', '.dependency-cruiser.cjs', '--output-type', 'err', 'apps', 'libs'])],
    ['the environment is read only in *.env.ts', () => checkEnvironmentReads(root)],
    ['types', () => tool(root, 'typescript/bin/tsc', ['--noEmit', '--pretty', 'false', '--tsBuildInfoFile', '.setup/types.tsbuildinfo', '-p', 'tsconfig.json'])],
  ];
  let failed = 0;
  for (const [title, check] of checks) {
    const start = performance.now();
    const problem = await check().then(() => undefined, (error) => error.message);
    console.log(`${problem ? '✗' : '✓'} ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)${problem ? `\n${problem}` : ''}`);
    if (problem) failed++;
  }
  return { passed: checks.length - failed, failed };
}

async function tool(root, script, args) {
  const lines = [];
  await runStep(process.execPath, [path.join(root, 'node_modules', script), ...args], { cwd: root, env: childEnvironment(process.execPath), onLine: (line) => lines.push(line) }).catch(() => {
    throw new Error(lines.slice(0, 200).join('\n'));
  });
}

async function checkEnvironmentReads(root) {
  const found = [];
  for (const place of ['apps', 'libs']) {
    for (const entry of await readdir(path.join(root, place), { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (!entry.isFile() || !/\.ts$/.test(file) || /\.(env|spec)\.ts$/.test(file) || file.includes('/generated/')) continue;
      const lines = (await readFile(file, 'utf8')).split('\n');
      lines.forEach((line, i) => /\bprocess\.env\b/.test(line) && found.push(`  ${path.relative(root, file)}:${i + 1}`));
    }
  }
  if (found.length > 0) throw new Error(`process.env is read outside of *.env.ts:\n${found.join('\n')}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
  const { failed } = await lint(root);
  process.exit(failed === 0 ? 0 : 1);
}
