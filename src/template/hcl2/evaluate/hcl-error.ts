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

/**
 * What each task gives. All are tried, so that all of their errors are told at once.
 *
 * @throws {HclError} the first error, with the others.
 */
export function collect<T>(tasks: Iterable<() => T>): T[] {
  const results: T[] = [];
  const errors: HclError[] = [];
  for (const task of tasks) {
    try {
      results.push(task());
    } catch (error) {
      if (!(error instanceof HclError) || error.isLimit) throw error;
      errors.push(...error.all);
      if (errors.length >= ERRORS_MAX) break;
    }
  }
  const [first, ...others] = errors;
  if (first === undefined) return results;
  throw new HclError(first.message, first.range, { hint: first.hint, others });
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
