import { nearMiss } from "../../../base/suggest.ts";
import {
  type EagerFunction,
  HclFunctionError,
  type HclParameter,
  type LazyArgument,
} from "../functions/hcl-function.ts";
import type { CallExpression, Expression, SourceRange } from "../syntax/syntax-tree.ts";
import { unknownValue } from "../values/construct.ts";
import { isWhollyKnown, itemsOf } from "../values/contents.ts";
import { ConversionError, describeValue } from "../values/conversion-error.ts";
import { DYNAMIC, type HclValue, UNKNOWN } from "../values/value.ts";
import type { Evaluation } from "./evaluation.ts";
import { collect, ErrorCollector, HclError, missing } from "./hcl-error.ts";
import { findFunction, functionNames } from "./scope.ts";

export function evaluateCall(expression: CallExpression, evaluation: Evaluation): HclValue {
  const found = findFunction(evaluation.scope, expression.name);
  if (found === undefined) return failUnknown(expression, evaluation);
  if ("isLazy" in found) {
    const args = argumentsOf(expression, evaluation);
    if (args === UNKNOWN) return unknownValue(DYNAMIC);
    return answer(expression, args, () => found.call(args.map((argument) => lazy(argument))));
  }
  const errors = new ErrorCollector();
  const args = errors.attempt(() => argumentsOf(expression, evaluation));
  if (args === undefined || args === UNKNOWN) {
    for (const argument of expression.arguments.slice(0, -1)) errors.attempt(() => evaluation.evaluate(argument));
    errors.throwAny();
    return unknownValue(found.returnType);
  }
  errors.attempt(() => checkCount(expression, found, args.length));
  // Of another number, nobody knows which is meant to be which.
  const hasCount = !errors.hasAny;
  const attempted = args.map((argument, index) =>
    errors.attempt(() =>
      hasCount ? checkedArgument(argument, { index, called: found, expression, evaluation }) : argument.evaluate(),
    ),
  );
  errors.throwAny();
  const values = attempted as HclValue[];
  if (values.some((value, index) => !isWhollyKnown(value) && parameterAt(found, index).allowsUnknown !== true)) {
    return unknownValue(found.returnType);
  }
  evaluation.spendOn(values);
  const result = answer(expression, args, () => found.call(values));
  evaluation.spendOn([result]);
  return result;
}

/** The error of a function that is not there, with those of its arguments. */
function failUnknown(expression: CallExpression, evaluation: Evaluation): never {
  const { name, nameRange } = expression;
  const among = functionNames(evaluation.scope);
  const error = missing(unknownMessage(name, among), nameRange, { name, among });
  const meant = nearMiss(name, among);
  const found = meant === undefined ? undefined : findFunction(evaluation.scope, meant);
  // For what was meant, an argument without a value may be no error.
  if (found !== undefined && "isLazy" in found) throw error;
  const fail = (): never => {
    throw error;
  };
  collect([fail, ...expression.arguments.map((argument) => () => evaluation.evaluate(argument))]);
  return fail();
}

// Where only some can be called, in the values of variables, these are fewer.
const FEW = 3;

function unknownMessage(name: string, among: readonly string[]): string {
  if (among.length === 0) return "No function can be called here";
  if (among.length > FEW) return `There is no function "${name}"`;
  return `Only ${among.map((known) => `"${known}"`).join(" and ")} can be called here, not "${name}"`;
}

interface Argument {
  readonly range: SourceRange;
  /** Missing for an element of an expanded list. */
  readonly expression?: Expression;
  readonly evaluate: () => HclValue;
}

/** `f(list...)`: each element of the last argument is one. */
function argumentsOf(expression: CallExpression, evaluation: Evaluation): readonly Argument[] | typeof UNKNOWN {
  const toArgument = (argument: Expression): Argument => ({
    range: argument.range,
    expression: argument,
    evaluate: () => evaluation.evaluate(argument),
  });
  const last = expression.expandsLast ? expression.arguments.at(-1) : undefined;
  if (last === undefined) return expression.arguments.map(toArgument);
  const rest = evaluation.evaluate(last);
  const { kind } = rest.type;
  if (rest.content === UNKNOWN && kind === "dynamic") return UNKNOWN;
  if (rest.content === null || (kind !== "list" && kind !== "tuple" && kind !== "set")) {
    throw new HclError(`Before "..." must be a list, not ${describeValue(rest)}`, last.range);
  }
  if (rest.content === UNKNOWN) return UNKNOWN;
  const expanded = itemsOf(rest).map((item) => ({ range: last.range, evaluate: () => item }));
  return [...expression.arguments.slice(0, -1).map(toArgument), ...expanded];
}

function checkCount({ name, nameRange }: CallExpression, called: EagerFunction, count: number): void {
  const { parameters, variadic, usage } = called;
  const wanted = parameters.length;
  if (variadic === undefined ? count === wanted : count >= wanted) return;
  const least = variadic === undefined ? "" : "at least ";
  const unit = wanted === 1 ? "argument" : "arguments";
  throw new HclError(`"${name}" needs ${least}${wanted} ${unit}, not ${count}`, nameRange, { hint: `Write ${usage}` });
}

interface ArgumentPlace {
  readonly index: number;
  readonly called: EagerFunction;
  readonly expression: CallExpression;
  readonly evaluation: Evaluation;
}

function checkedArgument(
  { range, evaluate }: Argument,
  { index, called, expression, evaluation }: ArgumentPlace,
): HclValue {
  const { name, type, allowsNull } = parameterAt(called, index);
  const value = evaluate();
  const what = `Argument ${index + 1} of "${expression.name}" (${name})`;
  if (value.content === null && allowsNull !== true) {
    throw new HclError(`${what} must not be null`, range, { hint: `Write ${called.usage}` });
  }
  return evaluation.convert(value, type, { what, range });
}

function parameterAt({ parameters, variadic }: EagerFunction, index: number): HclParameter {
  const parameter = parameters[index] ?? variadic;
  if (parameter === undefined) throw new TypeError(`The function has no parameter ${index}`);
  return parameter;
}

function lazy({ evaluate, expression }: Argument): LazyArgument {
  return {
    expression,
    attempt() {
      try {
        return { value: evaluate() };
      } catch (error) {
        if (!(error instanceof HclError) || error.isLimit) throw error;
        return { error };
      }
    },
  };
}

/** What the function gives. Its errors get the place of the argument that is to blame. */
function answer(expression: CallExpression, args: readonly Argument[], call: () => HclValue): HclValue {
  try {
    return call();
  } catch (error) {
    if (error instanceof ConversionError) {
      throw new HclError(`Cannot call "${expression.name}": a value ${error.message}`, expression.range, {
        hint: error.hint,
      });
    }
    if (!(error instanceof HclFunctionError)) throw error;
    const { range } = args[error.argumentIndex ?? -1] ?? expression;
    throw new HclError(`Cannot call "${expression.name}": ${error.message}`, range, { hint: error.hint });
  }
}
