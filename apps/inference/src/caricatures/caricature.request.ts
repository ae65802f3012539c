import { z } from 'zod';
import { InferenceError } from '../inference.error.js';

const query = z.strictObject({
  /** name@alias */
  model: z.string().optional(),
  /** With several faces: take the largest, or refuse the photo. */
  faces: z.enum(['largest', 'single']).default('largest'),
  /** Find the face and cut it out, or take the picture's middle square because it is a face crop already. */
  crop: z.enum(['auto', 'none']).default('auto'),
});

export type CaricatureQuery = z.output<typeof query>;

/** Throws InferenceError `InvalidRequest` that names each parameter to change. */
export function parseCaricatureQuery(given: unknown): CaricatureQuery {
  const result = query.safeParse(given);
  if (result.success) return result.data;
  const issues = result.error.issues.map((issue) => [...issue.path, issue.message].join(': '));
  throw new InferenceError('InvalidRequest', `The query cannot be used: ${issues.join('; ')}.`);
}
