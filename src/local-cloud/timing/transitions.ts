import { setMaxListeners } from "node:events";
import type { Clock } from "../../base/clock.ts";
import type { LatencyModel, TransitionKind } from "./latency.ts";

/** Waits for the end of the delay that was drawn for this transition, counted from the call. */
type WaitForDelay = () => Promise<void>;

/** @param endsAtMs when the delay ends, in milliseconds since the epoch. */
type Change = (waitForDelay: WaitForDelay, endsAtMs: number) => Promise<void>;

/**
 * Changes of state that go on after the answer.
 *
 * Disposing stops those that wait and waits for those that work; what is left
 * half-way is in the state, and the next opening settles it.
 */
export class Transitions implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #latency: LatencyModel;
  readonly #running = new Set<Promise<void>>();
  readonly #stop = new AbortController();

  constructor(clock: Clock, latency: LatencyModel) {
    this.#clock = clock;
    this.#latency = latency;
    // One listener for each wait, and there may be hundreds.
    setMaxListeners(0, this.#stop.signal);
  }

  /** Aborts when the cloud closes. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /**
   * Starts a change. It has its own handling of failures: what it throws reaches
   * only a caller that waits.
   *
   * @param sinceMs when the call came, if work that is part of the delay has been done since.
   * @returns what a call has to wait for before it answers: without latency the
   * whole change, so that a client which asks again finds it done; with it, nothing.
   */
  start(kind: TransitionKind, change: Change, sinceMs: number = this.#clock.now()): Promise<void> {
    const endsAtMs = sinceMs + this.#latency.nextTransitionMs(kind);
    const waitForDelay = () => this.sleep(endsAtMs - this.#clock.now());
    const work = this.#run(change(waitForDelay, endsAtMs));
    return this.#latency.mode === "none" ? work : Promise.resolve();
  }

  /** Starts a change that nobody waits for. */
  startInBackground(change: () => Promise<void>): void {
    void this.#run(change());
  }

  /** @throws the reason, once the cloud closes. */
  async sleep(durationMs: number): Promise<void> {
    if (durationMs > 0) await this.#clock.sleep(durationMs, this.#stop.signal);
    this.#stop.signal.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new Error("the local cloud is closing"));
    await Promise.allSettled(this.#running);
  }

  #run(change: Promise<void>): Promise<void> {
    const settled = change
      .catch(() => {
        // The change has already recorded its failure in the state; see `start`.
      })
      .finally(() => this.#running.delete(settled));
    this.#running.add(settled);
    return change;
  }
}
