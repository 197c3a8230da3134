/**
 * Runs `work` for every item, at most `parallelMax` at a time, taking them in order.
 *
 * After a failure no further item is begun; those under way are waited for.
 *
 * @throws the first error of `work`.
 */
export async function forEachParallel<Item>(
  items: Iterable<Item> | AsyncIterable<Item>,
  parallelMax: number,
  work: (item: Item, worker: number) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let failure: { readonly error: unknown } | undefined;
  const runWorker = async (_: unknown, worker: number): Promise<void> => {
    while (failure === undefined) {
      try {
        const next = await iterator.next();
        // Another worker may have failed meanwhile.
        if (next.done || failure !== undefined) return;
        await work(next.value, worker);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: parallelMax }, runWorker));
  if (failure !== undefined) throw failure.error;
}
