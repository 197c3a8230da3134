import type { GoValue } from "../go-format/format.ts";
import { type Expression, GoTemplateError, type Pipeline } from "./syntax.ts";
import { type TemplateFunction, TemplateFunctionError } from "./template-function.ts";
import { BuildData, shown, type Value } from "./value.ts";
import { Variables } from "./variables.ts";

/** What an expression is evaluated with. */
export interface Frame {
  readonly dot: Value;
  readonly variables: Variables;
  /** What ``build `Device` `` answers from. */
  readonly data: BuildData;
}

/**
 * Evaluates a pipeline and sets the variables that it declares or assigns.
 *
 * @throws {GoTemplateError} if a function refuses its arguments.
 */
export function evaluatePipeline({ expression, variables: targets, isDeclaration }: Pipeline, frame: Frame): Value {
  const value = evaluate(expression, frame);
  for (const { name } of targets) {
    if (isDeclaration) frame.variables.declare(name, value);
    else frame.variables.assign(name, value);
  }
  return value;
}

export function evaluate(expression: Expression, frame: Frame): Value {
  switch (expression.kind) {
    case "string":
    case "number":
    case "boolean":
    case "value":
      return expression.value;
    case "nil":
      return null;
    case "dot":
      return frame.dot;
    case "variable":
      return frame.variables.valueOf(expression.name);
    case "chain":
      return fieldOf(evaluate(expression.base, frame), expression);
    case "parenthesized":
      return evaluatePipeline(expression.pipeline, frame);
    case "build variable":
      return frame.data.field(expression.name);
    case "call":
      return evaluateCall(expression, frame);
  }
}

/** The value of what needs no variables, or `undefined`. */
export function evaluateClosed(expression: Expression): Value | undefined {
  if (!isClosed(expression)) return undefined;
  return evaluate(expression, { dot: null, variables: new Variables(), data: new BuildData({}) });
}

function isClosed(expression: Expression): boolean {
  switch (expression.kind) {
    case "dot":
    case "variable":
    case "build variable":
      return false;
    case "chain":
      return isClosed(expression.base);
    case "parenthesized":
      return expression.pipeline.variables.length === 0 && isClosed(expression.pipeline.expression);
    case "call":
      return expression.operands.every(isClosed);
    default:
      return true;
  }
}

function fieldOf(base: Value, { path, offset }: Extract<Expression, { kind: "chain" }>): Value {
  let value = base;
  for (const name of path) {
    if (value instanceof BuildData) value = value.field(name);
    else if (value instanceof Map) value = value.get(name) ?? null;
    // As in Go: what is not there has no fields either.
    else if (value !== null) throw new GoTemplateError(`${shown(value)} has no field ".${name}"`, offset);
  }
  return value;
}

type Call = Extract<Expression, { kind: "call" }>;

function evaluateCall({ name, implementation, operands, offset }: Call, frame: Frame): Value {
  if (implementation === undefined) throw new TypeError(`The function "${name}" has not been looked up`);
  const values: unknown[] = [];
  for (const [index, operand] of operands.entries()) {
    const value = evaluate(operand, frame);
    const parameter = implementation.parameters[index] ?? "any";
    values.push(checkedArgument(value, { name, index, parameter, operand }));
    if (implementation.stopsAt?.(value) === true) break;
  }
  return callFunction(implementation, values, offset);
}

function callFunction(implementation: TemplateFunction, values: readonly unknown[], offset: number): Value {
  try {
    return implementation.call(...(values as never[]));
  } catch (error) {
    if (!(error instanceof TemplateFunctionError)) throw error;
    throw new GoTemplateError(error.message, offset, error.hint, error.isTold);
  }
}

interface Argument {
  readonly name: string;
  readonly index: number;
  readonly parameter: TemplateFunction["parameters"][number];
  readonly operand: Expression;
}

function checkedArgument(value: Value, { name, index, parameter, operand }: Argument): string | number | GoValue {
  if (value instanceof BuildData) throw new TypeError("All build variables together are no argument");
  if (parameter === "any" || (parameter === "text" && typeof value === "string")) return value;
  if (parameter === "integer") {
    // In Go `1.0` is a literal for integers too, but its value is a fraction.
    const isWhole = typeof value === "bigint" || (operand.kind === "number" && Number.isSafeInteger(value));
    if (isWhole) return Number(value);
  }
  const wanted = parameter === "text" ? "a string" : "a whole number";
  throw new GoTemplateError(
    `Argument ${index + 1} of "${name}" must be ${wanted}, not ${shown(value)}`,
    operand.offset,
  );
}
