/** Runs `work` on up to `concurrency` items at once and gives the results in the items' order. */
export async function* mapOrdered<Item, Result>(
  items: readonly Item[],
  concurrency: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const running: Promise<Result>[] = [];
  let next = 0;
  const start = (): void => {
    const promise = work(items[next++]!);
    // Its failure is told when its turn comes; until then it must not count as unhandled.
    promise.catch(() => undefined);
    running.push(promise);
  };
  while (next < items.length || running.length > 0) {
    while (running.length < concurrency && next < items.length) start();
    yield await running.shift()!;
  }
}
