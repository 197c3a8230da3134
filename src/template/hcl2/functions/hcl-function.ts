import type { Expression } from "../syntax/syntax-tree.ts";
import type { HclType, HclValue } from "../values/value.ts";

/** A function that expressions may call. */
export type HclFunction = EagerFunction | LazyFunction;

interface Documented {
  /** A correct call, for the reference page and beside a wrong one: `join(", ", ["a", "b"])`. */
  readonly usage: string;
  /** What it gives, for the reference page. */
  readonly summary: string;
}

/** A function of values. */
export interface EagerFunction extends Documented {
  readonly parameters: readonly HclParameter[];
  /** Of the arguments behind those of `parameters`, of which there may be none. */
  readonly variadic?: HclParameter;
  /** The type of what it gives, also where an argument is not known yet; `DYNAMIC` if only the arguments tell. */
  readonly returnType: HclType;
  /**
   * The arguments are as many as there are parameters, or more where it is variadic; each has been converted to its parameter's type. None is
   * null, or has anything unknown in it, unless its parameter allows it.
   *
   * @throws {HclFunctionError}
   */
  readonly call: (args: readonly HclValue[]) => HclValue;
}

export interface HclParameter {
  readonly name: string;
  /** `DYNAMIC` takes any value as it is. */
  readonly type: HclType;
  readonly allowsNull?: boolean;
  /**
   * Whether the function wants to be called when the argument, or something in it, is unknown. Else the call's value is
   * unknown then, of the type `returnType`.
   */
  readonly allowsUnknown?: boolean;
}

/** A function that decides itself what is evaluated: `try`, `can`. Any number of arguments. */
export interface LazyFunction extends Documented {
  readonly isLazy: true;
  /** @throws {HclFunctionError} */
  readonly call: (args: readonly LazyArgument[]) => HclValue;
}

export interface LazyArgument {
  /**
   * The argument's value, or why it has none. What ends the evaluation of a whole template, such as a limit of its size, is
   * thrown and not given here.
   */
  attempt(): { readonly value: HclValue } | { readonly error: Error };
  /** What was written, for a function that does not want its value. Missing for what `list...` has expanded to. */
  readonly expression: Expression | undefined;
}

/** A call that cannot be answered. The caller adds the function's name and where the call stands. */
export class HclFunctionError extends Error {
  override readonly name = "HclFunctionError";
  readonly hint: string | undefined;
  /** Which argument is to blame, from 0; `undefined` for the call as a whole. */
  readonly argumentIndex: number | undefined;

  constructor(message: string, { hint, argumentIndex }: { hint?: string; argumentIndex?: number } = {}) {
    super(message);
    this.hint = hint;
    this.argumentIndex = argumentIndex;
  }
}
