import { nearMiss } from "../../../base/suggest.ts";
import type { SourceRange } from "../syntax/syntax-tree.ts";

interface HclErrorOptions {
  readonly hint?: string | undefined;
  /** Errors that were found together with this one. */
  readonly others?: readonly HclError[];
  /** The template as a whole asks for too much: whatever else of it is evaluated fails too. */
  readonly isLimit?: boolean;
}

/** An expression that has no value. */
export class HclError extends Error {
  override readonly name = "HclError";
  readonly range: SourceRange;
  readonly hint: string | undefined;
  readonly others: readonly HclError[];
  readonly isLimit: boolean;

  constructor(message: string, range: SourceRange, { hint, others = [], isLimit = false }: HclErrorOptions = {}) {
    super(message);
    this.range = range;
    this.hint = hint;
    this.others = others;
    this.isLimit = isLimit;
  }

  /** This one and those found with it. */
  get all(): readonly HclError[] {
    return [this, ...this.others];
  }
}

// Nobody reads more of one expression.
const ERRORS_MAX = 20;

/** Errors of tasks that are all tried, so that they are told at once. */
export class ErrorCollector {
  readonly #errors: HclError[] = [];

  get hasAny(): boolean {
    return this.#errors.length > 0;
  }

  /**
   * What the task gives, or `undefined` if it fails.
   *
   * @throws {HclError} all errors up to now, if there are as many as anybody reads.
   */
  attempt<T>(task: () => T): T | undefined {
    try {
      return task();
    } catch (error) {
      if (!(error instanceof HclError) || error.isLimit) throw error;
      this.#errors.push(...error.all);
      if (this.#errors.length >= ERRORS_MAX) this.throwAny();
      return undefined;
    }
  }

  /** @throws {HclError} the first error, with the others, if there is one. */
  throwAny(): void {
    const [first, ...others] = this.#errors;
    if (first !== undefined) throw new HclError(first.message, first.range, { hint: first.hint, others });
  }
}

/**
 * What each task gives. All are tried, so that all of their errors are told at once.
 *
 * @throws {HclError} the first error, with the others.
 */
export function collect<T>(tasks: Iterable<() => T>): T[] {
  const results: T[] = [];
  const errors = new ErrorCollector();
  for (const task of tasks) errors.attempt(() => results.push(task()));
  errors.throwAny();
  return results;
}

/** As `collect`, of two tasks. */
export function collectBoth<A, B>(first: () => A, second: () => B): readonly [A, B] {
  const errors = new ErrorCollector();
  const a = errors.attempt(first);
  const b = errors.attempt(second);
  errors.throwAny();
  return [a as A, b as B];
}

/** "There is no … "x"", with what may have been meant. */
export function missing(
  message: string,
  range: SourceRange,
  { name, among }: { name: string; among: Iterable<string> },
): HclError {
  const near = nearMiss(name, among);
  return new HclError(message, range, { hint: near === undefined ? undefined : `Did you mean "${near}"?` });
}
