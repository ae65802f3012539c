import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const command = join(root, 'scripts/caricature.mjs');

interface Outcome {
  code: number;
  output: string;
}

async function caricature(args: string[], env: NodeJS.ProcessEnv = process.env): Promise<Outcome> {
  try {
    const { stdout, stderr } = await run(process.execPath, [command, ...args], { env });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, output: stdout + stderr };
  }
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'caricature-setup-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('the set-up', () => {
  it('does nothing when everything is there', async () => {
    await caricature(['setup']);
    const built = await stat(join(root, '.setup/build'));
    const { code, output } = await caricature(['setup']);
    expect({ code, output }).toEqual({ code: 0, output: '' });
    expect((await stat(join(root, '.setup/build'))).mtimeMs).toBe(built.mtimeMs);
  }, 300_000);

  it('imports nothing but Node\'s own modules, since it runs before the dependencies are there', async () => {
    const files = [command, ...(await scriptsOf('scripts/setup')), join(root, 'scripts/test/tools.mjs')];
    const sources = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const imported = sources.flatMap((text) => [...text.matchAll(/^(?:import|export) .*from '([^']+)'/gm)].map((match) => match[1]!));
    expect(imported.length).toBeGreaterThan(20);
    expect(imported.filter((name) => !name.startsWith('node:') && !name.startsWith('.'))).toEqual([]);
  });

  it('runs one at a time in a clone, and a killed one does not block the next', async () => {
    const script = join(folder, 'hold.mjs');
    const module = pathToFileURL(join(root, 'scripts/setup/exclusive.mjs')).href;
    await writeFile(script, `import { exclusively } from '${module}';\nawait exclusively(process.argv[2], async () => { console.log('in'); await new Promise((r) => setTimeout(r, Number(process.argv[3]))); }, () => console.log('waiting'));`);
    const first = spawn(process.execPath, [script, folder, '600000']);
    await once(first.stdout, 'data');
    const second = spawn(process.execPath, [script, folder, '0']);
    let said = '';
    second.stdout.on('data', (text) => (said += String(text)));
    await once(second.stdout, 'data');
    expect(said).toBe('waiting\n');
    first.kill('SIGKILL');
    const [code] = await once(second, 'close');
    expect({ code, said }).toEqual({ code: 0, said: 'waiting\nin\n' });
  });
});

describe('dependencies', () => {
  const lock = (packages: Record<string, object>) => JSON.stringify({ packages: { '': {}, ...packages } });

  async function installed(wanted: Record<string, object>, there: Record<string, object>, folders: string[]): Promise<boolean> {
    await writeFile(join(folder, 'package-lock.json'), lock(wanted));
    await mkdir(join(folder, 'node_modules'), { recursive: true });
    await writeFile(join(folder, 'node_modules/.package-lock.json'), lock(there));
    for (const name of folders) {
      await mkdir(join(folder, name), { recursive: true });
      await writeFile(join(folder, name, 'package.json'), '{}');
    }
    const { areDependenciesInstalled } = await import(pathToFileURL(join(root, 'scripts/setup/dependencies.mjs')).href);
    return areDependenciesInstalled(folder);
  }
  const a = 'node_modules/a';

  it.each([
    ['are there when every locked package is', { [a]: { version: '1' } }, { [a]: { version: '1' } }, [a], true],
    ['are not when a version differs', { [a]: { version: '2' } }, { [a]: { version: '1' } }, [a], false],
    ['are not when a folder was removed', { [a]: { version: '1' } }, { [a]: { version: '1' } }, [], false],
    ['are there without what is made for other platforms', { [a]: { version: '1', optional: true, cpu: ['arm64'] } }, {}, [], true],
    ['are not without what is made for this one', { [a]: { version: '1', optional: true, cpu: ['x64'], os: ['linux'] } }, {}, [], false],
    ['are not when a package is new', { [a]: { version: '1' } }, {}, [a], false],
  ])('%s', async (_title, wanted, there, folders, answer) => {
    expect(await installed(wanted, there, folders)).toBe(answer);
  });

  it('are not there before anything was installed', async () => {
    await writeFile(join(folder, 'package-lock.json'), lock({}));
    const { areDependenciesInstalled } = await import(pathToFileURL(join(root, 'scripts/setup/dependencies.mjs')).href);
    expect(await areDependenciesInstalled(folder)).toBe(false);
  });
});

describe('the doctor', () => {
  it('names what the machine lacks, with its Debian package', async () => {
    // A PATH that holds npm and nothing else that is asked for.
    await symlink(join(dirname(process.execPath), 'node'), join(folder, 'npm'));
    const { npm_execpath: _npm, CXX: _cxx, CARICATURE_PYTHON: _python, ...env } = process.env;
    const { code, output } = await caricature(['doctor'], { ...env, PATH: folder });
    expect(code).toBe(1);
    expect(output).toMatch(/MISSING {2}python3: apt-get install python3\n/);
    expect(output).toMatch(/MISSING {2}pip for python3: apt-get install python3-pip/);
    expect(output).toMatch(/MISSING {2}a C\+\+ compiler \(g\+\+\): apt-get install g\+\+/);
    expect(output).toMatch(/ok {7}npm/);
  });

  it('finds nothing missing where the set-up has run', async () => {
    await caricature(['setup']);
    const { code, output } = await caricature(['doctor'], { ...process.env, PATH: `${process.env['PATH']}${delimiter}/usr/bin` });
    expect(output).toContain('Nothing is missing.');
    expect(output).toMatch(/ok {7}training computes on: the [CG]PU, by TensorFlow/);
    expect(code).toBe(0);
  }, 300_000);

  it('tells which back end computes, the one that was asked for', async () => {
    const { output } = await caricature(['doctor'], { ...process.env, CARICATURE_BACKEND: 'wasm' });
    expect(output).toMatch(/ok {7}training computes on: the CPU, in WebAssembly \(wasm\), \d+ ms/);
    const { code, output: refused } = await caricature(['doctor'], { ...process.env, CARICATURE_BACKEND: 'webgl' });
    expect(refused).toMatch(/MISSING {2}training computes on: .*CARICATURE_BACKEND is "webgl"/);
    expect(code).toBe(1);
  }, 300_000);

  it('with --gpu says what a machine without a GPU lacks: device, driver, and TensorFlow that computes there', async () => {
    const { code, output } = await caricature(['doctor', '--gpu'], { ...process.env, PATH: folder });
    expect(code).toBe(1);
    expect(output).toMatch(/\nGPU\n/);
    expect(output).toMatch(/MISSING {2}driver: nvidia-smi is not on PATH: install the NVIDIA driver/);
    expect(output).toMatch(/MISSING {2}GPU memory: unknown, for nvidia-smi does not answer/);
    if (!existsSync('/dev/nvidia0')) {
      expect(output).toMatch(/MISSING {2}device: .*start the container with it/);
      expect(output).toMatch(/MISSING {2}one training step on the GPU: TensorFlow computes on the CPU: the image worker-gpu/);
    }
  }, 300_000);

  it('refuses an option it does not know', async () => {
    const { code, output } = await caricature(['doctor', '--all']);
    expect({ code, named: output.includes('--all') }).toEqual({ code: 64, named: true });
  });
});

it('the command says what it can do', async () => {
  const { code, output } = await caricature(['--help']);
  expect(code).toBe(0);
  for (const word of ['start', 'apply', 'get', 'describe', 'logs', 'wait', 'delete', 'doctor', 'test', 'bench']) expect(output).toMatch(new RegExp(`^  ${word}\\b`, 'm'));
});

async function scriptsOf(place: string): Promise<string[]> {
  return (await readdir(join(root, place))).map((name) => join(root, place, name));
}
