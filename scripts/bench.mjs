// npm run bench -- NAME [--json]: each benchmark is a program bench/NAME/main.mjs that sets its peers up itself.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runForwarding } from './setup/child.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

async function findBenchmarks() {
  const entries = await readdir(path.join(root, 'bench'), { withFileTypes: true }).catch(() => []);
  const named = await Promise.all(entries.filter((e) => e.isDirectory()).map(async (e) => ((await readdir(path.join(root, 'bench', e.name))).includes('main.mjs') ? e.name : undefined)));
  return named.filter((name) => name !== undefined);
}

const [name, ...rest] = process.argv.slice(2);
const names = await findBenchmarks();
if (name !== undefined && names.includes(name)) process.exit(await runForwarding(process.execPath, [path.join(root, 'bench', name, 'main.mjs'), ...rest]));
console.error(names.length > 0 ? `npm run bench -- NAME [--json], where NAME is one of: ${names.join(', ')}` : 'This version has no benchmarks.');
process.exit(name === '--help' ? 0 : 64);
