import { DEFAULT_PHOTO_LIMITS } from '@caricature/faces';
import { Controller, HttpCode, Post, Query, Req, Res, UploadedFiles, UseInterceptors } from '@nestjs/common';
import { AnyFilesInterceptor } from '@nestjs/platform-express';
import type { Request, Response } from 'express';
import { AdmissionInterceptor } from '../batching/admission.interceptor.js';
import { InferenceError } from '../inference.error.js';
import { ModelStore } from '../models/model.store.js';
import { parseCaricatureQuery } from './caricature.request.js';
import { CaricatureService } from './caricature.service.js';
import { readBody } from './request-body.js';

const { maxBytes } = DEFAULT_PHOTO_LIMITS;
const PHOTO_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'application/octet-stream'];
const ANSWER_TYPES = ['image/png', 'application/json'];

interface UploadedPhoto {
  buffer: Buffer;
  mimetype: string;
}

@Controller('v1/caricatures')
export class CaricaturesController {
  constructor(
    private readonly caricatures: CaricatureService,
    private readonly models: ModelStore,
  ) {}

  /** A photo as the body, or as the one file of a form → PNG, or JSON with the face's box where that is preferred. */
  @Post()
  @HttpCode(200)
  @UseInterceptors(AdmissionInterceptor, AnyFilesInterceptor({ limits: { files: 1, fileSize: maxBytes, fields: 8 } }))
  async draw(
    @Req() request: Request,
    @Res() response: Response,
    @Query() givenQuery: unknown,
    @UploadedFiles() files: UploadedPhoto[] | undefined,
  ): Promise<void> {
    const query = parseCaricatureQuery(givenQuery);
    const answerType = request.accepts(ANSWER_TYPES);
    if (answerType === false) throw new InferenceError('NotAcceptable', `Answers are ${ANSWER_TYPES.join(' or ')}; accept one of these.`);
    const bytes = await readPhoto(request, files);
    const model = await this.models.getModel(query.model);
    response.locals['model'] = model.label;
    const { png, box } = await model.use(() => this.caricatures.draw(bytes, model, query));
    response.set({ 'Caricature-Model': model.label, 'Caricature-Model-Version': model.version, Vary: 'Accept' });
    if (answerType === 'image/png') return void response.type('image/png').send(png);
    response.json({ box, image: png.toString('base64'), model: model.label, version: model.version });
  }
}

async function readPhoto(request: Request, files: UploadedPhoto[] | undefined): Promise<Buffer> {
  const isForm = request.is('multipart/form-data') !== false;
  const [file] = files ?? [];
  if (isForm && !file) throw new InferenceError('InvalidRequest', 'The form has no file; add the photo as one, as curl -F image=@photo.jpg does.');
  const type = (file?.mimetype ?? request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (!PHOTO_TYPES.includes(type)) {
    throw new InferenceError('UnsupportedMediaType', `The photo's content type is ${JSON.stringify(type.slice(0, 100))}; send one of ${PHOTO_TYPES.join(', ')}.`);
  }
  return file?.buffer ?? readBody(request, maxBytes);
}
