import { chooseFace, cropFace, cropMiddle, openPhoto } from '@caricature/faces';
import type { FaceBox, FaceDetector, Photo } from '@caricature/faces';
import { Inject, Injectable } from '@nestjs/common';
import sharp from 'sharp';
import { FACE_DETECTOR } from '../inference.tokens.js';
import type { ServedModel } from '../models/served-model.js';
import type { CaricatureQuery } from './caricature.request.js';

export interface Caricature {
  png: Buffer;
  /** The face's place in the upright photo; null when none was looked for. */
  box: FaceBox | null;
}

/** A photo in, a caricature out. */
@Injectable()
export class CaricatureService {
  constructor(@Inject(FACE_DETECTOR) private readonly detector: FaceDetector) {}

  /** Throws PhotoError for a photo that cannot be used. */
  async draw(bytes: Buffer, model: ServedModel, query: CaricatureQuery): Promise<Caricature> {
    const photo = await openPhoto(bytes);
    const box = query.crop === 'none' ? null : await this.findFace(photo, query);
    const { imageSize: size, margin } = model;
    const face = box ? await cropFace(photo, box, size, margin) : await cropMiddle(photo, size);
    const drawn = await model.draw(face.data);
    return { box, png: await sharp(drawn, { raw: { width: size, height: size, channels: 3 } }).png().toBuffer() };
  }

  private async findFace(photo: Photo, query: CaricatureQuery): Promise<FaceBox> {
    return chooseFace(await this.detector.detect(photo), query.faces === 'single' ? 'Single' : 'Largest');
  }
}
