// Lays out what each program needs to run, and nothing else: the compiled files that its entry reaches, and the packages that those
// import. Runs where the project was built: collect.mjs OUT fills OUT/controller, OUT/worker and so on.
import { chmod, copyFile, mkdir, readFile, readdir, realpath, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LIBRARIES } from '../setup/tensorflow.mjs';

const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const TENSORFLOW = LIBRARIES.map((name) => `node_modules/@tensorflow/tfjs-node/deps/lib/${name}`);
const FRONTAL_FACE = ['package.json', 'MIT-LICENSE.txt', 'data/haarcascade_frontalface_default.xml'].map((name) => `node_modules/opencv/${name}`);

/** What a program reads that no import names: files and folders, and packages. */
const PROGRAMS = {
  controller: { reads: ['apps/web', 'prisma/migrations'], packages: ['@nestjs/platform-express', 'uplot'] },
  worker: { reads: FRONTAL_FACE },
  inference: { reads: FRONTAL_FACE, packages: ['@nestjs/platform-express'] },
  'avatar-source': { packages: ['@nestjs/platform-express'] },
};
const SPECIFIER = /(?:\bfrom|\bimport|\bimport\(|\brequire\(|\bresolve\(|\bnew URL\()\s*['"`]([^'"`\n]+)['"`]/g;
/** Of a package, only what runs and its licence. */
const LEFT_OUT = [
  /\.(map|ts|mts|cts|tsbuildinfo|flow|gyp|cc|h)$/,
  /^(?!.*licen[cs]e).*\.(md|markdown)$/i,
  // Bundles for browsers, and for databases that are not used.
  /^@tensorflow\/tfjs[^/]*\/dist\/tf(?:-[a-z-]+)?(\.(es2017|fesm|min))*\.js$/,
  // The file for Node has all of these in it.
  /^@tensorflow\/tfjs-backend-wasm\/(wasm-out|dist\/(kernels|kernel_utils|miniprogram))\//,
  /^@prisma\/client\/runtime\/.*\.(cockroachdb|mysql|sqlite|sqlserver)\./,
  /^@tensorflow\/tfjs-node\/(deps|src|python|scripts)\//,
];

/** @param {string} out */
async function collect(out) {
  const { version, dependencies } = JSON.parse(await readFile(path.join(ROOT, 'package.json'), 'utf8'));
  for (const [name, { reads = [], packages = [] }] of Object.entries(PROGRAMS)) {
    const target = path.join(out, name);
    const { files, imports } = await reach(path.join(ROOT, 'dist/apps', name, 'src/main.js'), Object.keys(dependencies));
    for (const file of files) await copy(file, target);
    for (const place of reads) await copyTree(path.join(ROOT, place), target, () => true);
    for (const folder of await closure([...imports, ...packages])) {
      await copyTree(folder, target, (file) => !LEFT_OUT.some((pattern) => pattern.test(path.relative(path.join(ROOT, 'node_modules'), file))));
    }
    await write(path.join(target, 'package.json'), JSON.stringify({ name: `caricature-${name}`, version, type: 'module' }));
  }
  for (const library of TENSORFLOW) await copy(path.join(ROOT, library), path.join(out, 'tensorflow'));
}

/** The compiled files that `entry` reaches, and which of the packages `known` they name. */
async function reach(entry, known) {
  const files = new Set();
  const imports = new Set();
  const waiting = [entry];
  while (waiting.length > 0) {
    const file = waiting.pop();
    if (files.has(file)) continue;
    files.add(file);
    for (const [, name] of (await readFile(file, 'utf8')).matchAll(SPECIFIER)) {
      if (name.startsWith('.')) waiting.push(path.resolve(path.dirname(file), name));
      else for (const one of known) if (names(name, one)) imports.add(one);
    }
  }
  return { files: [...files].sort(), imports: [...imports] };
}

/** Whether a specifier is of a package; `@fontsource/${family}/…` may be of every package of the scope. */
function names(specifier, one) {
  const [fixed, ...rest] = specifier.split('$');
  return rest.length > 0 && fixed !== '' ? one.startsWith(fixed) : `${specifier}/`.startsWith(`${one}/`);
}

/** The folders of packages and of everything that they depend on, as Node finds them. */
async function closure(names) {
  const folders = new Set();
  const visit = async (name, from, required) => {
    const folder = await findPackage(name, from);
    if (!folder) {
      if (required) throw new Error(`${name}, which ${path.relative(ROOT, from) || 'the program'} needs, is not installed`);
      return;
    }
    if (folders.has(folder)) return;
    folders.add(folder);
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    for (const needed of Object.keys(dependencies)) if (!needed.startsWith('@types/')) await visit(needed, folder, !(needed in optionalDependencies));
    for (const needed of Object.keys(optionalDependencies)) await visit(needed, folder, false);
    for (const needed of Object.keys(peerDependencies)) if (!peerDependenciesMeta[needed]?.optional) await visit(needed, folder, false);
  };
  for (const name of names) await visit(name, ROOT, true);
  return [...folders].sort();
}

async function findPackage(name, from) {
  for (let folder = from; folder.startsWith(ROOT); folder = path.dirname(folder)) {
    const candidate = path.join(folder, 'node_modules', name);
    if (await isThere(path.join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

/** Packages inside a package are visited by themselves. A link becomes what it points to. */
async function copyTree(place, target, counts) {
  const found = await stat(place);
  if (!found.isDirectory()) return copy(place, target);
  for (const name of (await readdir(place)).sort()) {
    const inner = path.join(place, name);
    if (name === 'node_modules') continue;
    if ((await stat(inner)).isDirectory()) await copyTree(inner, target, counts);
    else if (counts(inner)) await copy(inner, target);
  }
}

async function copy(file, target) {
  const to = path.join(target, path.relative(ROOT, file));
  await mkdir(path.dirname(to), { recursive: true });
  await copyFile(await realpath(file), to);
  await settle(to, (await stat(file)).mode & 0o111 ? 0o755 : 0o644);
}

async function write(file, text) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  await settle(file, 0o644);
}

/** The same bytes on every machine and day: no time of its own, no mode by chance. */
async function settle(file, mode) {
  await chmod(file, mode);
  const epoch = Number(process.env.SOURCE_DATE_EPOCH ?? 0);
  await utimes(file, epoch, epoch);
}

const isThere = (file) => stat(file).then(() => true, () => false);

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await collect(path.resolve(process.argv[2]));
