import sharp from 'sharp';
import { RequestFailure, type FailureKind, type Middleware } from '../request.js';

/** More pixels than any avatar has; a small file can unpack to very many. */
const MAX_PIXELS = 2048 * 2048;
const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
/** The last chunk of every whole PNG. */
const END = Buffer.from('\0\0\0\0IEND\xaeB`\x82', 'latin1');

/** Lets an image pass only when it is a whole PNG that decodes, within the limit on pixels. */
export const contentCheck: Middleware = (next) => async (request) => {
  const response = await next(request);
  if (request.accept !== 'image') return response;
  const fail = (kind: FailureKind, what: string) => new RequestFailure(kind, `${request.url} gives ${what}`);
  const type = response.headers['content-type'] ?? 'no content type';
  if (!/^image\/png\s*(;|$)/i.test(type)) throw fail('wrongType', `${type} instead of image/png`);
  if (!response.body.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw fail('wrongType', 'something that is not a PNG');
  if (response.body.indexOf(END) < 0) throw fail('broken', `a PNG cut short after ${response.body.length} bytes`);
  const { width, height } = sizeOf(response.body);
  if (width * height > MAX_PIXELS) throw fail('tooLarge', `${width}×${height} pixels`);
  try {
    await sharp(response.body, { limitInputPixels: MAX_PIXELS, failOn: 'warning' }).raw().toBuffer();
  } catch (error) {
    throw fail('broken', `a PNG that does not decode (${(error as Error).message.trim()})`);
  }
  return response;
};

/** Width and height as the header chunk states them, which a PNG must begin with. */
function sizeOf(png: Buffer): { width: number; height: number } {
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}
