import { createRequire } from 'node:module';

/** The few names of OpenCV that face detection calls; the package's own types leave out the file system and `calledRun`. */
export interface OpenCv {
  CV_8UC3: number;
  COLOR_RGB2GRAY: number;
  Mat: new () => Mat;
  Size: new (width: number, height: number) => unknown;
  RectVector: new () => RectVector;
  CascadeClassifier: new () => CascadeClassifier;
  matFromArray(rows: number, columns: number, type: number, array: Uint8Array): Mat;
  cvtColor(from: Mat, to: Mat, code: number): void;
  FS_createDataFile(folder: string, name: string, data: Uint8Array, canRead: boolean, canWrite: boolean, canOwn: boolean): void;
}

interface Deletable {
  delete(): void;
}

export type Mat = Deletable;

export interface RectVector extends Deletable {
  size(): number;
  get(index: number): { x: number; y: number; width: number; height: number };
}

export interface CascadeClassifier extends Deletable {
  load(path: string): boolean;
  detectMultiScale(
    image: Mat,
    found: RectVector,
    scaleFactor: number,
    minNeighbors: number,
    flags: number,
    minSize: unknown,
  ): void;
}

interface OpenCvModule extends OpenCv {
  calledRun?: boolean;
  onRuntimeInitialized?: () => void;
  then?: unknown;
}

const CRASH_EVENTS = ['uncaughtException', 'unhandledRejection'] as const;
const require = createRequire(import.meta.url);
let loading: Promise<{ cv: OpenCv }> | undefined;

/** Loads OpenCV's WebAssembly once a process: about 0.4 s and 130 MB, so only when a face is looked for. */
export function loadOpenCv(): Promise<{ cv: OpenCv }> {
  loading ??= load();
  return loading;
}

async function load(): Promise<{ cv: OpenCv }> {
  const cv = requireQuietly();
  await new Promise<void>((resolve) => {
    if (cv.calledRun) resolve();
    else cv.onRuntimeInitialized = () => resolve();
  });
  // The module has a `then` that resolves with itself: awaiting it would never end. Hence also the wrapping object.
  delete cv.then;
  return { cv };
}

/** Emscripten adds handlers that abort the process at any unhandled rejection, ours too: takes them off again. */
function requireQuietly(): OpenCvModule {
  const before = new Map(CRASH_EVENTS.map((event) => [event, process.listeners(event as 'uncaughtException')]));
  const cv = require('@techstark/opencv-js') as OpenCvModule;
  for (const event of CRASH_EVENTS) {
    for (const listener of process.listeners(event as 'uncaughtException')) {
      if (!before.get(event)?.includes(listener)) process.off(event, listener);
    }
  }
  return cv;
}
