/** Time, injected, so that waits can be tested without waiting. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /**
   * Resolves after `durationMs`.
   *
   * @throws the signal's reason once it aborts.
   */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/**
 * A signal that aborts after `durationMs` of the clock.
 *
 * Dispose of it as soon as it is not needed: until then it keeps the process alive.
 */
export function timeoutSignal(clock: Clock, durationMs: number): AbortSignal & Disposable {
  const timeout = new AbortController();
  const unused = new AbortController();
  clock.sleep(durationMs, unused.signal).then(
    () => timeout.abort(new DOMException(`${durationMs} ms are over`, "TimeoutError")),
    () => {},
  );
  return Object.assign(timeout.signal, { [Symbol.dispose]: () => unused.abort() });
}

export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Whether it was the time that aborted the signal. */
  readonly isOver: boolean;
}

/**
 * A signal that aborts with `signal`, or after `durationMs` of the clock. For what is done many times: unlike
 * `AbortSignal.any` it costs little, and leaves nothing behind.
 *
 * Dispose of it as soon as it is not needed: until then it keeps the process alive.
 */
export function deadlineWithin(signal: AbortSignal, clock: Clock, durationMs: number): Deadline {
  const controller = new AbortController();
  const unused = new AbortController();
  let isOver = false;
  const stop = () => controller.abort(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  clock.sleep(durationMs, unused.signal).then(
    () => {
      isOver = true;
      controller.abort(new DOMException(`${durationMs} ms are over`, "TimeoutError"));
    },
    () => {},
  );
  return {
    signal: controller.signal,
    get isOver() {
      return isOver;
    },
    [Symbol.dispose]() {
      signal.removeEventListener("abort", stop);
      unused.abort(UNUSED);
    },
  };
}

// Made once: to make one costs as much as the rest of a deadline.
const UNUSED = new DOMException("The deadline is not needed any more", "AbortError");

// Node's timers count milliseconds in 31 bits, 24 days: one of more would end at once.
const TIMER_MS_MAX = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      let timer: NodeJS.Timeout;
      const wait = (leftMs: number) => {
        timer = setTimeout(
          () => {
            if (leftMs > TIMER_MS_MAX) return wait(leftMs - TIMER_MS_MAX);
            signal?.removeEventListener("abort", stop);
            resolve();
          },
          Math.min(leftMs, TIMER_MS_MAX),
        );
      };
      wait(durationMs);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};
