import { execFile } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { FaceBox } from '../detector.js';
import { listPythons } from './python.env.js';

const SCRIPT = join(import.meta.dirname, 'real_photos.py');
const PIP = "pip install scikit-image 'opencv-python-headless<5'";

/** Real photos on disk and the faces that OpenCV's Python finds in them. */
export interface RealPhotos {
  dir: string;
  read(name: string): Promise<Buffer>;
  facesByPython: Record<string, FaceBox[]>;
}

/** Takes photos out of scikit-image: `astronaut` and `large` (one face), `twins` (two), `cat`, `coffee`, `camera` (none). */
export async function makeRealPhotos(): Promise<RealPhotos> {
  const dir = await mkdtemp(join(tmpdir(), 'caricature-photos-'));
  await runPython([SCRIPT, dir]);
  return {
    dir,
    read: (name) => readFile(join(dir, `${name}.png`)),
    facesByPython: JSON.parse(await readFile(join(dir, 'faces.json'), 'utf8')) as Record<string, FaceBox[]>,
  };
}

async function runPython(args: string[]): Promise<void> {
  const failures: string[] = [];
  for (const python of listPythons()) {
    try {
      await promisify(execFile)(python, args);
      return;
    } catch (error) {
      failures.push(`${python}: ${(error as Error).message.trim().split('\n').at(-1)}`);
    }
  }
  throw new Error(`No Python has the photos: ${PIP}, then set CARICATURE_PYTHON to that Python.\n${failures.join('\n')}`);
}
