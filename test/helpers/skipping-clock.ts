import type { Clock } from "../../src/base/clock.ts";

/** Time that moves by waits only, which are over at once: however busy the machine is, what waits meets the same times. */
export function skippingClock(): Clock {
  let nowMs = Date.now();
  return {
    now: () => nowMs,
    async sleep(durationMs, signal) {
      signal?.throwIfAborted();
      nowMs += durationMs;
    },
  };
}
