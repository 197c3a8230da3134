import type { Clock } from "../base/clock.ts";
import { type AwsError, isNotFound } from "./aws-error.ts";
import { OWN_VISIBLE_WITHIN_MS } from "./wait.ts";

/** What this process has made in the account, and when: AWS may say for a while that there is no such thing. */
export class OwnResources {
  readonly #clock: Clock;
  readonly #madeMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes what was just made, or is met for the first time and was made by an earlier run. */
  add(id: string): void {
    if (!this.#madeMs.has(id)) this.#madeMs.set(id, this.#clock.now());
  }

  /**
   * Whether an error says no more than that AWS does not show yet what was just made. One answer that it is there
   * proves nothing: the next may come from a server that has not heard of it.
   *
   * @param ids what the call is about. Where the error names some of them, those count.
   */
  isHiddenYet(error: AwsError, ids: readonly string[]): boolean {
    if (!isNotFound(error)) return false;
    const named = ids.filter((id) => error.message.includes(id));
    return (named.length > 0 ? named : ids).some((id) => this.#isNew(id));
  }

  #isNew(id: string): boolean {
    const madeMs = this.#madeMs.get(id);
    return madeMs !== undefined && this.#clock.now() - madeMs < OWN_VISIBLE_WITHIN_MS;
  }
}
