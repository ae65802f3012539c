/** Why a whole crawl ended. The code is stable; the message says what to change. */
export type CrawlErrorCode =
  | 'SourceUnreachable'
  | 'SourceFailing'
  | 'SourceRefuses'
  | 'RobotsDisallowed'
  | 'HostRefused'
  | 'CatalogInvalid'
  | 'KnownGoodFails'
  | 'TooFewCombinations'
  | 'DirectoryOfAnotherCrawl'
  | 'StorageFull'
  | 'Aborted';

const RETRYABLE: ReadonlySet<CrawlErrorCode> = new Set(['SourceUnreachable', 'SourceFailing', 'StorageFull', 'Aborted']);

/** A crawl that cannot go on; what it fetched stays on disk, and the same call carries on from there. */
export class CrawlError extends Error {
  readonly retryable: boolean;

  constructor(
    readonly code: CrawlErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CrawlError';
    this.retryable = RETRYABLE.has(code);
  }
}

/** A full disk under `dir` as a CrawlError; other errors unchanged. */
export function diskError(error: unknown, dir: string): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new CrawlError('StorageFull', `No space left at ${dir}. Free space there and run again: the images fetched so far are kept.`, { cause: error });
}
