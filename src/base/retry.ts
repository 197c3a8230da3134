import type { Clock } from "./clock.ts";

export interface RetryPolicy {
  readonly attemptsMax: number;
  readonly backoffMsFirst: number;
  readonly backoffMsMax: number;
  /** Whether trying again can help. A denied or malformed request cannot. */
  readonly isTransient: (error: unknown) => boolean;
  /** Whether it passes by itself in a time that this knows: then it is tried again and not counted. */
  readonly isPassing?: (error: unknown) => boolean;
  readonly onRetry?: (attempt: number, error: unknown, backoffMs: number) => void;
  readonly clock: Clock;
  /** In [0, 1). Spreads clients that were throttled together. */
  readonly random?: () => number;
}

/**
 * Runs `work` until it succeeds, fails for good, or has failed `attemptsMax` times, but for what passes.
 *
 * The wait before attempt n is between half and all of `backoffMsFirst * 2^(n-2)`.
 *
 * @throws the last error of `work`, or the signal's reason.
 */
export async function retry<T>(work: () => Promise<T>, policy: RetryPolicy, signal: AbortSignal): Promise<T> {
  const { clock, random = Math.random } = policy;
  let failures = 0;
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (signal.aborted) throw error;
      const isPassing = policy.isPassing?.(error) ?? false;
      if (!isPassing && (++failures >= policy.attemptsMax || !policy.isTransient(error))) throw error;
      const ceilingMs = Math.min(policy.backoffMsMax, policy.backoffMsFirst * 2 ** (attempt - 1));
      const backoffMs = ceilingMs * (0.5 + random() / 2);
      policy.onRetry?.(attempt, error, backoffMs);
      await clock.sleep(backoffMs, signal);
    }
  }
}
