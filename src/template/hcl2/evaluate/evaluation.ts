import type { Expression, SourceRange } from "../syntax/syntax-tree.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";
import type { HclType, HclValue } from "../values/value.ts";
import { sizeOf, ValueLimitError } from "../values/value-size.ts";
import type { EvaluationBudget } from "./evaluation-budget.ts";
import { HclError } from "./hcl-error.ts";
import { innerScope, type Scope } from "./scope.ts";

const PARTS_PER_STEP = 8;

type EvaluateNode = (expression: Expression, evaluation: Evaluation) => HclValue;

/** One evaluation of an expression: what its names are, and how much work is left. */
export class Evaluation {
  readonly scope: Scope;
  readonly #budget: EvaluationBudget;
  readonly #evaluateNode: EvaluateNode;

  constructor(scope: Scope, evaluateNode: EvaluateNode, budget: EvaluationBudget) {
    this.scope = scope;
    this.#evaluateNode = evaluateNode;
    this.#budget = budget;
  }

  /** @throws {HclError} */
  evaluate(expression: Expression): HclValue {
    try {
      this.#budget.enter();
      return this.#evaluateNode(expression, this);
    } catch (error) {
      if (!(error instanceof ValueLimitError)) throw error;
      // Whoever meets a limit of values does not know where in the template that is.
      throw new HclError(error.message, expression.range, { isLimit: error.isFinal });
    } finally {
      this.#budget.leave();
    }
  }

  /** The same evaluation where more names are there. */
  with(...variables: readonly (readonly [string, HclValue])[]): Evaluation {
    return new Evaluation(innerScope(this.scope, new Map(variables)), this.#evaluateNode, this.#budget);
  }

  /** Counts work with values as a whole. Going through a part of one is a fraction of what evaluating it is. */
  spendOn(values: readonly HclValue[]): void {
    for (const value of values) this.#budget.spend(sizeOf(value) / PARTS_PER_STEP);
  }

  /** @param what the value is, for the message: `The left operand of "+"`. */
  convert(value: HclValue, type: HclType, { what, range }: { what: string; range: SourceRange }): HclValue {
    try {
      const converted = convert(value, type);
      if (converted !== value) this.spendOn([converted]);
      return converted;
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
      const glue = error.path.length === 0 ? " " : ": ";
      throw new HclError(`${what}${glue}${error.message}`, range, { hint: error.hint });
    }
  }
}
