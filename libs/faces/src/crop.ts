import sharp from 'sharp';
import type { FaceBox } from './detector.js';
import { toPixels } from './photo.js';
import type { Photo, Pixels } from './photo.js';

/** The detector's box spans brows to chin; this much of its side is added on each side to show hair and chin. */
export const FACE_MARGIN = 0.4;

/**
 * Cuts the square around a face, `margin` sides of the box wider on each side, and gives it as (size, size, 3) RGB.
 * Where the square leaves the photo, the photo's border pixels are repeated: no black bars to learn from.
 */
export async function cropFace(photo: Photo, box: FaceBox, size: number, margin = FACE_MARGIN): Promise<Pixels> {
  const square = squareAround(box, margin);
  const inside = clampToPhoto(square, photo);
  const cut = await toPixels(
    photo
      .decode()
      .extract(inside)
      .extend({
        left: inside.left - square.left,
        top: inside.top - square.top,
        right: square.left + square.width - inside.left - inside.width,
        bottom: square.top + square.height - inside.top - inside.height,
        extendWith: 'copy',
      }),
  );
  return resize(cut, size);
}

/** For a picture that is a face already: its middle square as (size, size, 3) RGB. */
export function cropMiddle(photo: Photo, size: number): Promise<Pixels> {
  return toPixels(photo.decode().resize(size, size, { fit: 'cover' }));
}

function squareAround(box: FaceBox, margin: number): FaceBox {
  const side = Math.round(Math.max(box.width, box.height) * (1 + 2 * margin));
  const left = Math.round(box.left + box.width / 2 - side / 2);
  const top = Math.round(box.top + box.height / 2 - side / 2);
  return { left, top, width: side, height: side };
}

function clampToPhoto(square: FaceBox, photo: Photo): FaceBox {
  const left = Math.max(0, square.left);
  const top = Math.max(0, square.top);
  const width = Math.min(photo.width, square.left + square.width) - left;
  const height = Math.min(photo.height, square.top + square.height) - top;
  return { left, top, width, height };
}

function resize({ data, width, height }: Pixels, size: number): Promise<Pixels> {
  return toPixels(sharp(data, { raw: { width, height, channels: 3 } }).resize(size, size));
}
