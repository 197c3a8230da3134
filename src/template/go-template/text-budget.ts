import { GoTemplateError } from "./syntax.ts";
import { type TemplateFunction, TemplateFunctionError, watchCalls } from "./template-function.ts";

/** Sixteen times what a template can be long: variables that use each other twice would soon fill any memory. */
const TEXT_LENGTH_MAX = 64 * 1024 ** 2;

/** How much text the expressions of one template may give, all together. */
export class TextBudget {
  #remaining = TEXT_LENGTH_MAX;

  /** @throws {TemplateFunctionError} if it is used up, told the first time only. */
  spend(length: number): void {
    const isTold = this.#remaining < 0;
    this.#remaining -= length;
    if (this.#remaining >= 0) return;
    throw new TemplateFunctionError(`The expressions of the template give more than ${TEXT_LENGTH_MAX} characters`, {
      hint: "Look for a variable that is used many times, or for a replacement of many characters",
      isTold,
    });
  }
}

/**
 * Takes what an expression gives from the budget.
 *
 * @param offset of the expression.
 * @throws {GoTemplateError} if it is used up.
 */
export function spendAt(budget: TextBudget, length: number, offset: number): void {
  try {
    budget.spend(length);
  } catch (error) {
    if (!(error instanceof TemplateFunctionError)) throw error;
    throw new GoTemplateError(error.message, offset, error.hint, error.isTold);
  }
}

/** The same functions, whose results are taken from the budget. */
export function withBudget(
  functions: ReadonlyMap<string, TemplateFunction>,
  budget: TextBudget,
): Map<string, TemplateFunction> {
  return watchCalls(functions, (result) => {
    if (typeof result === "string") budget.spend(result.length);
  });
}
