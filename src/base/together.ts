import type { AsyncDisposableStack } from "./async-disposable-stack.ts";

/**
 * Runs all of them side by side and waits for all, also when one fails: nothing goes on in the background.
 *
 * @throws the first failure, by position.
 */
export async function together<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}

/**
 * Acquires several resources side by side. Those that were acquired belong to
 * `owner`, also when another fails; the last is released first.
 */
export function acquireTogether<T extends readonly AsyncDisposable[]>(
  owner: AsyncDisposableStack,
  acquiring: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  // Owned in their order, whatever the order in which they are ready.
  const owned = (async () => {
    for (const result of await Promise.allSettled(acquiring)) {
      if (result.status === "fulfilled") owner.use(result.value as AsyncDisposable);
    }
  })();
  return owned.then(() => together<T>(acquiring));
}
