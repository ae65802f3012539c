/**
 * Runs `work` on every item, so many at once, in order of the items. The first error aborts the others' signal and is thrown
 * when all have ended, so nothing runs on afterwards.
 */
export async function runWorkers<T>(
  items: Iterable<T>,
  concurrency: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const stop = new AbortController();
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
  let failed: { error: unknown } | undefined;
  const worker = async () => {
    while (!failed) {
      const next = iterator.next();
      if (next.done) return;
      await work(next.value, either).catch((error: unknown) => {
        failed ??= { error };
        stop.abort();
      });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (failed) throw failed.error;
}
