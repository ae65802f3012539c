import { DEFAULT_PHOTO_LIMITS, PhotoError } from '@caricature/faces';
import type { PhotoErrorCode } from '@caricature/faces';
import { HttpException } from '@nestjs/common';
import { INFERENCE_STATUS, InferenceError } from '../inference.error.js';

/** RFC 9457. `code` is the stable name of the problem. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
}

const PHOTO_STATUS: Record<PhotoErrorCode, number> = { NotAnImage: 400, TooLarge: 413, NoFace: 422, SeveralFaces: 422 };
const HINTS: Record<string, string> = {
  NoFace: ' For a picture that is a face crop already, ask with ?crop=none.',
  SeveralFaces: ' Without ?faces=single the largest face is taken.',
};
const HTTP_CODES: Record<number, string> = { 400: 'InvalidRequest', 404: 'NotFound', 413: 'TooLarge' };
const HTTP_HINTS: Record<number, string> = {
  400: '; send the photo as the one file of the form, or as the body.',
  413: `; send a photo of at most ${DEFAULT_PHOTO_LIMITS.maxBytes / 1024 / 1024} MB.`,
};

/** What is told of an error; of one that nobody foresaw, nothing but that it happened. */
export function toProblem(error: unknown): Problem {
  if (error instanceof PhotoError) return aProblem(PHOTO_STATUS[error.code], error.code, error.message + (HINTS[error.code] ?? ''));
  if (error instanceof InferenceError) return aProblem(INFERENCE_STATUS[error.code], error.code, error.message);
  if (error instanceof HttpException) {
    const status = error.getStatus();
    return aProblem(status, HTTP_CODES[status] ?? 'RequestFailed', error.message + (HTTP_HINTS[status] ?? ''));
  }
  return aProblem(500, 'Internal', 'The server failed at this request; its log says why.');
}

function aProblem(status: number, code: string, detail: string): Problem {
  const title = code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ');
  return { type: 'about:blank', title, status, code, detail };
}
