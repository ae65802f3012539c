import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { loadOpenCv } from './opencv.js';
import type { CascadeClassifier, OpenCv } from './opencv.js';
import { openPhoto, toPixels } from './photo.js';
import type { Photo, Pixels } from './photo.js';

/** Where a face is, in pixels of the upright photo. */
export interface FaceBox {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface FaceDetector {
  /** Every face of a photo, the largest first; none is an empty list. Throws PhotoError for bytes that are no photo. */
  detect(photo: Photo | Buffer): Promise<FaceBox[]>;
}

export interface FaceDetectorOptions {
  /** How much each size searched is larger than the one before. */
  scaleFactor?: number;
  /** How many overlapping windows must agree; more means fewer false faces and more missed ones. */
  minNeighbors?: number;
  /** The smallest face searched, in pixels of the photo after it was limited to `maxSidePx`. */
  minSizePx?: number;
  /** Photos are made no larger than this before the search; the boxes are in the photo's own pixels all the same. */
  maxSidePx?: number;
  /** A cascade in OpenCV's XML; without it, the frontal face one. */
  cascadeFile?: string;
}

const DEFAULTS = { scaleFactor: 1.1, minNeighbors: 5, minSizePx: 30, maxSidePx: 1024 };
const FRONTAL_FACE = 'opencv/data/haarcascade_frontalface_default.xml';
let cascadesLoaded = 0;

/**
 * Finds frontal faces by a cascade of Haar features (Viola and Jones 2001, Lienhart and Maydt 2002) in OpenCV.
 * The boxes are those that OpenCV's `detectMultiScale` gives in C++ or Python for the same pixels.
 */
export async function createFaceDetector(options: FaceDetectorOptions = {}): Promise<FaceDetector> {
  const settings = { ...DEFAULTS, ...options };
  const { cv } = await loadOpenCv();
  const cascade = await loadCascade(cv, options.cascadeFile ?? createRequire(import.meta.url).resolve(FRONTAL_FACE));
  return {
    async detect(input) {
      const photo = Buffer.isBuffer(input) ? await openPhoto(input) : input;
      const side = settings.maxSidePx;
      const small = await toPixels(
        photo.decode().resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true }),
      );
      const boxes = search(cv, cascade, small, settings);
      return boxes.map((box) => scaleBox(box, photo, small)).sort((a, b) => b.width * b.height - a.width * a.height);
    },
  };
}

async function loadCascade(cv: OpenCv, file: string): Promise<CascadeClassifier> {
  cascadesLoaded += 1;
  const name = `cascade-${cascadesLoaded}.xml`;
  cv.FS_createDataFile('/', name, await readFile(file), true, false, false);
  const cascade = new cv.CascadeClassifier();
  if (!cascade.load(name)) throw new Error(`${file} is no cascade that OpenCV can read; give one of its haarcascade_*.xml files.`);
  return cascade;
}

/** `image` (H,W,3); what OpenCV allocates lives outside the garbage collector and is freed here. */
function search(cv: OpenCv, cascade: CascadeClassifier, image: Pixels, settings: typeof DEFAULTS): FaceBox[] {
  const colour = cv.matFromArray(image.height, image.width, cv.CV_8UC3, image.data);
  const gray = new cv.Mat();
  const found = new cv.RectVector();
  try {
    cv.cvtColor(colour, gray, cv.COLOR_RGB2GRAY);
    const minSize = new cv.Size(settings.minSizePx, settings.minSizePx);
    cascade.detectMultiScale(gray, found, settings.scaleFactor, settings.minNeighbors, 0, minSize);
    return Array.from({ length: found.size() }, (_, index) => {
      const { x, y, width, height } = found.get(index);
      return { left: x, top: y, width, height };
    });
  } finally {
    for (const thing of [colour, gray, found]) thing.delete();
  }
}

function scaleBox(box: FaceBox, photo: Photo, small: Pixels): FaceBox {
  const scale = photo.width / small.width;
  return {
    left: Math.round(box.left * scale),
    top: Math.round(box.top * scale),
    width: Math.round(box.width * scale),
    height: Math.round(box.height * scale),
  };
}
