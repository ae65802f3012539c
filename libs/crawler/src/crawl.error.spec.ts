import { appendFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { diskError } from './crawl.error.js';

it('says what to do about a full disk, and leaves other errors alone', async () => {
  const full = await appendFile('/dev/full', 'x').catch((error: unknown) => error);
  expect(diskError(full, '/data')).toMatchObject({ code: 'StorageFull', retryable: true, message: expect.stringMatching(/No space left at \/data\. Free space/) });
  const other = new Error('other');
  expect(diskError(other, '/data')).toBe(other);
});
