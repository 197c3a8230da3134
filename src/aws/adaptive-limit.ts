import type { Clock } from "../base/clock.ts";
import type { CallGate, CallOutcome, GatePass } from "./call-with-retry.ts";

export interface AdaptiveLimitOptions {
  /** How many calls are under way at once, at first. */
  readonly first: number;
  readonly min: number;
  readonly max: number;
  /** A call that takes longer shows that more at once would only wait longer. */
  readonly slowMs: number;
  readonly clock: Clock;
}

/**
 * How many calls may be under way at once, learnt from how they end: one more for each round that goes well, half of
 * them as soon as one is too many. That is TCP's way to share a line (additive increase, multiplicative decrease), and
 * shares a quota with others in the same manner.
 */
export class AdaptiveLimit implements CallGate {
  readonly #options: AdaptiveLimitOptions;
  #limit: number;
  #underWay = 0;
  /** Counts the halvings: what began before the last one says nothing about the limit of now. */
  #era = 0;
  #timesUsedUp = 0;
  readonly #waiting = new Set<() => void>();

  constructor(options: AdaptiveLimitOptions) {
    this.#options = options;
    this.#limit = options.first;
  }

  /** How many calls may be under way now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** First come, first served. */
  async enter(signal: AbortSignal): Promise<GatePass> {
    signal.throwIfAborted();
    if (this.#underWay < this.limit) this.#underWay++;
    else await this.#turn(signal);
    const [era, timesUsedUp] = [this.#era, this.#timesUsedUp];
    const startMs = this.#options.clock.now();
    if (this.#underWay >= this.limit) this.#timesUsedUp++;
    return {
      leave: (outcome) => {
        this.#underWay--;
        this.#learn(outcome, {
          isOfThisEra: era === this.#era,
          wasUsedUp: timesUsedUp < this.#timesUsedUp,
          tookMs: this.#options.clock.now() - startMs,
        });
        this.#admit();
      },
    };
  }

  #learn(outcome: CallOutcome, call: { isOfThisEra: boolean; wasUsedUp: boolean; tookMs: number }): void {
    const { min, max, slowMs } = this.#options;
    if (!call.isOfThisEra) return;
    if (outcome === "overloaded") {
      this.#limit = Math.max(min, this.#limit / 2);
      this.#era++;
    } else if (outcome === "done" && call.wasUsedUp && call.tookMs < slowMs) {
      this.#limit = Math.min(max, this.#limit + 1 / this.#limit);
    }
  }

  /** Resolves with a place taken. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal.removeEventListener("abort", stop);
        resolve();
      };
      const stop = () => {
        this.#waiting.delete(begin);
        reject(signal.reason);
      };
      this.#waiting.add(begin);
      signal.addEventListener("abort", stop, { once: true });
    });
  }

  #admit(): void {
    for (const begin of this.#waiting) {
      if (this.#underWay >= this.limit) return;
      this.#waiting.delete(begin);
      this.#underWay++;
      begin();
    }
  }
}
