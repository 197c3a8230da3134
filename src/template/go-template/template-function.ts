import type { Value } from "./value.ts";

/** A function that template expressions may call. */
export interface TemplateFunction {
  readonly parameters: readonly ("text" | "integer" | "any")[];
  /** How many of the last parameters may be left out. */
  readonly optionalCount?: number;
  /** Whether more arguments, of any type, may follow. */
  readonly isVariadic?: boolean;
  /** Whether the arguments after this one need not be evaluated. */
  readonly stopsAt?: (value: Value) => boolean;
  /** A correct call, for the reference page and beside a wrong one. */
  readonly usage: string;
  /** What it gives, for the reference page. */
  readonly summary: string;
  /**
   * The arguments have been checked against `parameters`; an integer is a `number`.
   *
   * @throws {TemplateFunctionError}
   */
  readonly call: (...values: never[]) => Value;
}

/** The same functions, whose results are told, with the arguments, before they are used. */
export function watchCalls(
  functions: ReadonlyMap<string, TemplateFunction>,
  onResult: (result: Value, values: readonly Value[]) => void,
): Map<string, TemplateFunction> {
  const watched = [...functions].map(([name, templateFunction]): [string, TemplateFunction] => {
    const call = (...values: never[]) => {
      const result = templateFunction.call(...values);
      onResult(result, values);
      return result;
    };
    return [name, { ...templateFunction, call }];
  });
  return new Map(watched);
}

/** A call that cannot be answered. The caller adds where it stands. */
export class TemplateFunctionError extends Error {
  override readonly name = "TemplateFunctionError";
  readonly hint: string | undefined;
  /** The user knows already why: what the function answers from has a problem of its own. */
  readonly isTold: boolean;

  constructor(message: string, { hint, isTold = false }: { hint?: string; isTold?: boolean } = {}) {
    super(message);
    this.hint = hint;
    this.isTold = isTold;
  }
}
