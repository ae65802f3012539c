import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { openPhoto, toPixels } from './photo.js';

const RED = { r: 200, g: 10, b: 10 };

function aPicture(width = 40, height = 30, channels: 3 | 4 = 3): Sharp {
  return sharp({ create: { width, height, channels, background: channels === 3 ? RED : { ...RED, alpha: 0 } } });
}

describe('opening a photo', () => {
  it.each(['jpeg', 'png', 'webp'] as const)('reads %s', async (format) => {
    const photo = await openPhoto(await aPicture().toFormat(format).toBuffer());
    expect([photo.width, photo.height]).toEqual([40, 30]);
    const pixels = await toPixels(photo.decode());
    expect(pixels.data).toHaveLength(40 * 30 * 3);
  });

  it('gives three channels for a gray photo and white for transparency', async () => {
    const gray = await toPixels((await openPhoto(await aPicture().grayscale().toColourspace('b-w').png().toBuffer())).decode());
    expect(gray.data).toHaveLength(40 * 30 * 3);
    const clear = await toPixels((await openPhoto(await aPicture(4, 4, 4).png().toBuffer())).decode());
    expect([...clear.data.subarray(0, 3)]).toEqual([255, 255, 255]);
  });

  it('measures the picture upright', async () => {
    const photo = await openPhoto(await aPicture().withMetadata({ orientation: 6 }).jpeg().toBuffer());
    expect([photo.width, photo.height]).toEqual([30, 40]);
    const pixels = await toPixels(photo.decode());
    expect([pixels.width, pixels.height]).toEqual([30, 40]);
  });

  it.each([
    ['text', Buffer.from('hello')],
    ['nothing', Buffer.alloc(0)],
    ['another format', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')],
  ])('refuses %s', async (_, bytes) => {
    await expect(openPhoto(bytes)).rejects.toMatchObject({ code: 'NotAnImage', message: expect.stringContaining('send') });
  });

  it('refuses a photo that breaks off when its pixels are read', async () => {
    const noise = sharp({ create: { width: 200, height: 200, channels: 3, background: RED, noise: { type: 'gaussian', mean: 128, sigma: 30 } } });
    const whole = await noise.jpeg().toBuffer();
    const photo = await openPhoto(whole.subarray(0, whole.length / 2));
    await expect(toPixels(photo.decode())).rejects.toMatchObject({ code: 'NotAnImage' });
  });

  it('refuses too many bytes and too many pixels before it decodes them', async () => {
    const bytes = await aPicture().png().toBuffer();
    await expect(openPhoto(bytes, { maxBytes: 10, maxPixels: 1e6 })).rejects.toMatchObject({ code: 'TooLarge' });
    await expect(openPhoto(bytes, { maxBytes: 1e6, maxPixels: 1000 })).rejects.toMatchObject({ code: 'TooLarge', message: expect.stringContaining('40×30') });
    const bomb = await aPicture(9000, 9000).png().toBuffer();
    await expect(openPhoto(bomb)).rejects.toMatchObject({ code: 'TooLarge' });
  });
});
