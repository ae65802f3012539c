// Gives @tensorflow/tfjs-node its native half.
//
// The package's own install script downloads libtensorflow 2.9 from a host that many networks do not reach. PyPI's
// wheel `tensorflow-cpu` holds the same C API in a newer, faster build, so the libraries come from there and the
// binding (two C++ files) is compiled against them. Everything heavy is kept in a cache outside the clone: a second
// clone only links it.
import { execFile, spawn } from 'node:child_process';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const TENSORFLOW_VERSION = '2.21.0';
const WHEEL_MACHINES = { x64: 'x86_64', arm64: 'aarch64' };
export const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
const PREBUILT_STAMP = "prebuilt by the package's own install script\n";
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'xla/tsl/', 'tsl/'];

/** Raised when TensorFlow cannot be installed; the message names the Debian packages or the action that mends it. */
export class TensorflowInstallError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = 'TensorflowInstallError';
    this.code = 'TENSORFLOW_INSTALL_FAILED';
    this.retryable = false;
  }
}

/**
 * Installs TensorFlow's native library under `root`/node_modules/@tensorflow/tfjs-node, doing only what is missing.
 * Safe to kill at any time and to run twice at once: every file appears under its final name by a rename.
 * @param {{root: string, log?: (line: string) => void}} options the clone's folder, and where progress lines go
 * @returns {Promise<{installed: boolean, how: 'present' | 'built' | 'prebuilt'}>}
 */
export async function installTensorflow({ root, log = () => {} }) {
  const place = await describePlace(root);
  if (await isInstalled(place)) return { installed: false, how: 'present' };

  const missing = await missingTools(place);
  if (missing.length > 0) return installPrebuilt(place, missing, log);

  await fs.mkdir(place.cache, { recursive: true });
  await removeAbandoned(place.cache);
  if (!(await exists(place.extracted))) await fetchLibraries(place, log);
  await linkLibraries(place);
  if (!(await exists(place.cachedBinding))) await compileBinding(place, log);
  await replaceFile(place.cachedBinding, place.binding);
  await writeStamp(place);
  log(`TensorFlow ${TENSORFLOW_VERSION} is ready`);
  return { installed: true, how: 'built' };
}

async function describePlace(root) {
  const pkg = path.join(root, 'node_modules', '@tensorflow', 'tfjs-node');
  const manifest = await fs.readFile(path.join(pkg, 'package.json'), 'utf8').catch(() => {
    throw new TensorflowInstallError(`${pkg} is missing: run "npm ci" in ${root} first`);
  });
  const { version } = JSON.parse(manifest);
  const cacheRoot = process.env.CARICATURE_CACHE || path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'caricature');
  const cache = path.join(cacheRoot, `tensorflow-${TENSORFLOW_VERSION}`);
  return {
    root,
    pkg,
    cache,
    stamp: `tensorflow ${TENSORFLOW_VERSION} tfjs-node ${version} ${process.platform}-${process.arch}\n`,
    stampFile: path.join(pkg, 'deps', 'caricature-stamp'),
    extracted: path.join(cache, `libtensorflow-${process.arch}`),
    cachedBinding: path.join(cache, `tfjs_binding-${version}-${process.arch}.node`),
    binding: path.join(pkg, 'lib', 'napi-v8', 'tfjs_binding.node'),
    python: process.env.CARICATURE_PYTHON || 'python3',
    compiler: process.env.CXX || 'g++',
  };
}

async function isInstalled({ pkg, stamp, stampFile, binding }) {
  const found = await fs.readFile(stampFile, 'utf8').catch(() => '');
  if (!(await exists(binding))) return false;
  if (found === PREBUILT_STAMP) return true;
  if (found !== stamp) return false;
  // The libraries may be symbolic links into a cache that somebody has cleaned: look through them.
  const libraries = await Promise.all(LIBRARIES.map((name) => exists(path.join(pkg, 'deps', 'lib', name))));
  return libraries.every(Boolean);
}

/** The Debian packages that would supply what the build lacks here. */
async function missingTools({ python, compiler, extracted, cachedBinding }) {
  const missing = [];
  if (process.platform !== 'linux' || !WHEEL_MACHINES[process.arch]) return ['a Linux machine (x86_64 or aarch64)'];
  if (!(await exists(extracted))) {
    if (!(await answers(python, ['-c', 'import sys; assert sys.version_info >= (3, 8)']))) missing.push('python3', 'python3-pip');
    else if (!(await answers(python, ['-m', 'pip', '--version']))) missing.push('python3-pip');
  }
  if (!(await exists(cachedBinding)) && !(await answers(compiler, ['--version']))) missing.push('g++');
  return missing;
}

async function installPrebuilt(place, missing, log) {
  log(`missing ${missing.join(', ')}: trying the prebuilt binary of @tensorflow/tfjs-node instead`);
  try {
    await stream(process.execPath, ['scripts/install.js'], { cwd: place.pkg, timeout: 600_000 }, log);
    if (!(await exists(place.binding))) throw new Error('its install script left no binding');
    await writeStamp({ stamp: PREBUILT_STAMP, stampFile: place.stampFile });
  } catch (cause) {
    throw new TensorflowInstallError(
      `TensorFlow needs ${missing.join(', ')}. On Debian or Ubuntu: apt-get install ${missing.join(' ')}. ` +
        `The prebuilt binary was tried too and failed: ${cause.message}`,
      { cause },
    );
  }
  return { installed: true, how: 'prebuilt' };
}

async function fetchLibraries(place, log) {
  const wheel = (await findWheel(place.cache)) ?? (await downloadWheel(place, log));
  log('unpacking TensorFlow (850 MB)');
  const temporary = temporaryPath(place.cache);
  await run(place.python, ['-c', EXTRACT, wheel, temporary, JSON.stringify({ libraries: LIBRARIES, headers: HEADERS })]).catch(async (cause) => {
    // A damaged wheel must not be found again by the next try.
    await fs.rm(temporary, { recursive: true, force: true });
    await fs.rm(wheel, { force: true });
    throw new TensorflowInstallError(`could not unpack ${wheel} (is the disk full?); it was removed, run this again: ${lastLine(cause)}`, { cause });
  });
  await settle(temporary, place.extracted);
  await fs.rm(wheel, { force: true });
}

async function findWheel(folder) {
  const names = await fs.readdir(folder);
  const name = names.find((n) => n.startsWith(`tensorflow_cpu-${TENSORFLOW_VERSION}-`) && n.endsWith(`_${WHEEL_MACHINES[process.arch]}.whl`));
  return name && path.join(folder, name);
}

async function downloadWheel(place, log) {
  log(`downloading TensorFlow ${TENSORFLOW_VERSION} from PyPI (about 270 MB)`);
  const temporary = temporaryPath(place.cache);
  const platform = `manylinux_2_27_${WHEEL_MACHINES[process.arch]}`;
  const args = ['-m', 'pip', 'download', '--no-deps', '--only-binary=:all:', '--python-version', '3.11', '--platform', platform];
  args.push('--disable-pip-version-check', '--progress-bar', 'off', '--dest', temporary, `tensorflow-cpu==${TENSORFLOW_VERSION}`);
  try {
    await stream(place.python, args, {}, log);
    const wheel = await findWheel(temporary);
    const kept = path.join(place.cache, path.basename(wheel));
    await fs.rename(wheel, kept);
    return kept;
  } catch (cause) {
    throw new TensorflowInstallError(`pip could not download tensorflow-cpu==${TENSORFLOW_VERSION}; check the network or pip's index: ${cause.message}`, { cause });
  } finally {
    await fs.rm(temporary, { recursive: true, force: true });
  }
}

/** Python, because it is needed anyway and reads a wheel (a zip) of this size member by member. */
const EXTRACT = `
import json, os, shutil, sys, zipfile
wheel, target, wanted = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        base = name.removeprefix('tensorflow/') if hasattr(name, 'removeprefix') else name[len('tensorflow/'):]
        if base in wanted['libraries']: to = os.path.join(target, 'lib', base)
        elif base.startswith('include/') and base.endswith('.h') and base[8:].startswith(tuple(wanted['headers'])): to = os.path.join(target, base)
        else: continue
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with archive.open(name) as source, open(to, 'wb') as out: shutil.copyfileobj(source, out, 1 << 20)
missing = [l for l in wanted['libraries'] if not os.path.exists(os.path.join(target, 'lib', l))]
assert not missing, 'the wheel lacks ' + ', '.join(missing)
`;

async function linkLibraries({ pkg, extracted }) {
  const lib = path.join(pkg, 'deps', 'lib');
  await fs.mkdir(lib, { recursive: true });
  for (const name of LIBRARIES) await replaceFile(path.join(extracted, 'lib', name), path.join(lib, name));
  await replaceLink('libtensorflow_cc.so.2', path.join(lib, 'libtensorflow.so'));
  await replaceLink('libtensorflow_framework.so.2', path.join(lib, 'libtensorflow_framework.so'));
  await fs.rm(path.join(pkg, 'deps', 'include'), { recursive: true, force: true });
  await replaceLink(path.join(extracted, 'include'), path.join(pkg, 'deps', 'include'));
}

async function compileBinding(place, log) {
  log('compiling the TensorFlow binding (about 15 s)');
  const { pkg, root } = place;
  const temporary = temporaryPath(place.cache);
  const lib = path.join(pkg, 'deps', 'lib');
  const defines = ['-DNAPI_VERSION=8', '-DNODE_GYP_MODULE_NAME=tfjs_binding', '-DBUILDING_NODE_EXTENSION'];
  const includes = [path.join(root, 'node_modules', 'node-api-headers', 'include'), path.join(pkg, 'deps', 'include'), pkg].map((d) => `-I${d}`);
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => path.join(pkg, 'binding', name));
  const libraries = [`-L${lib}`, '-ltensorflow', '-ltensorflow_framework', '-Wl,-rpath,$ORIGIN/../../deps/lib'];
  const args = ['-O2', '-shared', '-fPIC', '-std=c++17', ...defines, ...includes, ...sources, ...libraries, '-o', temporary];
  await run(place.compiler, args, { maxBuffer: 64 << 20 }).catch((cause) => {
    throw new TensorflowInstallError(`${place.compiler} could not compile the TensorFlow binding: ${lastLine(cause)}. On Debian: apt-get install g++`, { cause });
  });
  await fs.rename(temporary, place.cachedBinding);
}

async function writeStamp({ stamp, stampFile }) {
  const temporary = temporaryPath(path.dirname(stampFile));
  await fs.writeFile(temporary, stamp);
  await fs.rename(temporary, stampFile);
}

/** Puts `source` at `target`: a hard link (outlives the cache, costs no space), else a symbolic one. */
async function replaceFile(source, target) {
  await fs.mkdir(path.dirname(target), { recursive: true });
  const temporary = temporaryPath(path.dirname(target));
  await fs.link(source, temporary).catch(() => fs.symlink(source, temporary));
  await fs.rename(temporary, target);
}

async function replaceLink(to, target) {
  const temporary = temporaryPath(path.dirname(target));
  await fs.symlink(to, temporary);
  await fs.rename(temporary, target);
}

/** Renames a finished folder into place; when another process was first, its folder is as good. */
async function settle(temporary, target) {
  await fs.rename(temporary, target).catch(async (error) => {
    if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
    await fs.rm(temporary, { recursive: true, force: true });
  });
}

let temporaryCount = 0;
function temporaryPath(folder) {
  return path.join(folder, `.partial-${process.pid}-${temporaryCount++}`);
}

/** Removes what killed runs left behind: partial files whose process is gone. */
async function removeAbandoned(folder) {
  for (const name of await fs.readdir(folder)) {
    const pid = /^\.partial-(\d+)-/.exec(name)?.[1];
    if (pid && !isAlive(Number(pid))) await fs.rm(path.join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

const exists = (file) => fs.stat(file).then(() => true, () => false);
const answers = (command, args) => run(command, args).then(() => true, () => false);
const lastLine = (error) => String(error.stderr || error.message).trim().split('\n').at(-1);

/** Runs a command, passing its output on line by line. */
function stream(command, args, options, log) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let tail = '';
    const onText = (text) => {
      tail = (tail + text).slice(-2_000);
      for (const line of String(text).split('\n')) if (line.trim()) log(`  ${line.trim()}`);
    };
    child.stdout.on('data', onText);
    child.stderr.on('data', onText);
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}: ${tail.trim().split('\n').at(-1)}`))));
  });
}
