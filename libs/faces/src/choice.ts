import type { FaceBox } from './detector.js';
import { PhotoError } from './photo.error.js';

/** What to do with several faces: refuse the photo, or take the largest. */
export type FaceChoice = 'Single' | 'Largest';

/** Picks the face to use from what a detector found (largest first); throws PhotoError `NoFace` or `SeveralFaces`. */
export function chooseFace(boxes: FaceBox[], choice: FaceChoice): FaceBox {
  const [largest] = boxes;
  if (!largest) {
    throw new PhotoError('NoFace', 'No face was found in the photo; send one where a face looks at the camera, well lit and at least 30 pixels wide.');
  }
  if (boxes.length > 1 && choice === 'Single') {
    throw new PhotoError('SeveralFaces', `${boxes.length} faces were found in the photo; send one with a single face, or cut it out first.`);
  }
  return largest;
}
