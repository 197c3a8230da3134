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
 * `owner`, also when another fails, and are released side by side too.
 */
export async function acquireTogether<T extends readonly AsyncDisposable[]>(
  owner: AsyncDisposableStack,
  acquiring: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  const results = await Promise.allSettled(acquiring);
  const acquired = results.flatMap((result) =>
    result.status === "fulfilled" ? [result.value as AsyncDisposable] : [],
  );
  owner.defer(async () => {
    await together(acquired.map(async (resource) => resource[Symbol.asyncDispose]()));
  });
  return together<T>(acquiring);
}
