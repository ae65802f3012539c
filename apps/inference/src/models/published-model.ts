import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FACE_MARGIN } from '@caricature/faces';
import { loadCaricaturist } from '@caricature/models';
import { z } from 'zod';
import type { Caricaturist } from './caricaturist.port.js';

/** What a published model says of itself, as far as the networks do not. */
const card = z.object({
  margin: z.number().min(0).max(2).default(FACE_MARGIN),
  /** The networks that are applied one after another. */
  networks: z.array(z.string().regex(/^[A-Za-z][\w-]*$/)).min(1).default(['f', 'g']),
});

/** Loads a published model's folder: `card.json` and the networks that it names, such as `f/` and `g/`. */
export async function loadPublishedModel(folder: string): Promise<Caricaturist> {
  const { margin, networks: names } = card.parse(JSON.parse(await readFile(join(folder, 'card.json'), 'utf8')));
  const networks = await loadCaricaturist(...names.map((name) => join(folder, name)));
  const [height, width, channels] = networks.shape;
  if (height !== width || channels !== 3) {
    networks.dispose();
    throw new Error(`it takes images of ${networks.shape.join('×')}; only models of square colour images can be served`);
  }
  const bytes = height * width * channels;
  return {
    imageSize: height,
    margin,
    draw: async (faces) => {
      const drawn = networks.drawBatch(Buffer.concat(faces)); // [B, H, W, 3]
      return faces.map((_, index) => drawn.subarray(index * bytes, (index + 1) * bytes));
    },
    dispose: () => networks.dispose(),
  };
}
