import { remoteFingerprint } from '@caricature/artifacts';

type Fingerprint = (uri: string) => Promise<string | undefined>;

/** So long a listing stands for what is there: many runs may read one address, and each is looked at often. */
const REMEMBERED_MS = 60_000;

/**
 * Fingerprints of what s3:// addresses hold, and by `local` of all others. A store that cannot be asked just now is an error: without its
 * fingerprint a stage would be another one, and run again, for as long as that lasts. Where asking again cannot help there is no fingerprint:
 * the stage that reads the address says what is wrong with it.
 */
export function createSourceFingerprint(local: Fingerprint, read: (uri: string) => Promise<string> = remoteFingerprint, now: () => number = () => performance.now()): Fingerprint {
  const known = new Map<string, { until: number; fingerprint: Promise<string | undefined> }>();
  return async (uri) => {
    if (!uri.startsWith('s3://')) return local(uri);
    for (const [address, { until }] of known) if (until <= now()) known.delete(address);
    const remembered = known.get(uri);
    if (remembered) return remembered.fingerprint;
    const fingerprint = read(uri).catch((error: unknown) => {
      if ((error as { retryable?: unknown }).retryable === false) return undefined;
      known.delete(uri);
      throw error;
    });
    known.set(uri, { until: now() + REMEMBERED_MS, fingerprint });
    return fingerprint;
  };
}
