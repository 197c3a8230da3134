import { type Clock, systemClock } from "../../src/base/clock.ts";

/** Time that passes `speed` times as fast: deadlines of minutes are met in seconds, by real waits. */
export function scaledClock(speed: number): Clock {
  const start = systemClock.now();
  return {
    now: () => start + (systemClock.now() - start) * speed,
    sleep: (durationMs, signal) => systemClock.sleep(durationMs / speed, signal),
  };
}

/** Backoffs pass at once, and deadlines at their own pace: a busy machine does not run into them. */
export const impatientClock: Clock = {
  now: () => systemClock.now(),
  sleep: (durationMs, signal) => systemClock.sleep(durationMs / (durationMs < 15_000 ? 1000 : 1), signal),
};
