import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { runStep } from './child.mjs';

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
    if (entry.optional && !installed[folder]) return true; // made for another platform
    return installed[folder]?.version === entry.version && (await isThere(path.join(root, folder, 'package.json')));
  });
  return (await Promise.all(checks)).every(Boolean);
}

/** Installs the dependencies as locked. Their install scripts are not run: the set-up does what is needed of them itself. */
export async function installDependencies({ root, log }) {
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const [program, first] = npmCommand();
  let shown = 0;
  const timer = setInterval(() => log(`  still installing (${(shown += 15)} s)`), 15_000);
  try {
    await runStep(program, [...first, ...args], { cwd: root });
  } catch (error) {
    throw new Error(`The dependencies could not be installed. Check the network and npm's registry (npm config get registry), then run this again.\n${error.message}`);
  } finally {
    clearInterval(timer);
  }
}

/** The npm that started us, if one did: it need not be on PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script?.endsWith('npm-cli.js') ? [process.execPath, [script]] : ['npm', []];
}

async function readPackages(file) {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text).packages;
}

const isThere = (file) => stat(file).then(() => true, () => false);
