import { ValueLimitError } from "../values/value-size.ts";

// Some seconds of work, and far more than a template needs that says anything sensible.
const WORK_MAX = 128 * 1024 ** 2;

/** What evaluating one expression counts for, beside the values that it reads and makes. */
const STEP_WORK = 64;

// Each level is some calls in each other, of which there can be about 10,000. Nobody writes ten levels.
const DEPTH_MAX = 250;

/** How much work, in characters of values, the expressions of one template may make, all together. */
export class EvaluationBudget {
  #remaining: number;
  #depth = 0;

  constructor(work = WORK_MAX) {
    this.#remaining = work;
  }

  /**
   * Before an expression is evaluated. `leave` follows, whatever comes of it.
   *
   * @throws {ValueLimitError}
   */
  enter(): void {
    this.#depth++;
    if (this.#depth > DEPTH_MAX)
      throw new ValueLimitError(`The expression is nested more than ${DEPTH_MAX} levels deep`);
    this.spend(STEP_WORK);
  }

  leave(): void {
    this.#depth--;
  }

  /** Whether nothing more can be evaluated. Whoever used it up has been told. */
  get isUsedUp(): boolean {
    return this.#remaining < 0;
  }

  /**
   * @param work the size of a value that is read or made as a whole, as `sizeOf` tells it.
   * @throws {ValueLimitError} if the budget is used up.
   */
  spend(work: number): void {
    this.#remaining -= work;
    if (this.#remaining < 0)
      throw new ValueLimitError("The expressions of the template take too much work to evaluate", { isFinal: true });
  }
}
