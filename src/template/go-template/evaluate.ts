import type { BuildVariables } from "../deferred.ts";
import { GoTemplateError, type Value } from "./syntax.ts";
import { type TemplateFunction, TemplateFunctionError } from "./template-function.ts";

/** An expression whose names have been looked up. */
export type BoundExpression =
  | { readonly kind: "literal"; readonly value: Value; readonly offset: number }
  | { readonly kind: "field"; readonly path: readonly string[]; readonly offset: number }
  | {
      readonly kind: "call";
      readonly name: string;
      readonly implementation: TemplateFunction;
      readonly operands: readonly BoundExpression[];
      readonly offset: number;
    };

/** What Go prints for a key that a map does not have; Packer's users know it from their tags. */
const NO_VALUE = "<no value>";

/**
 * @throws {GoTemplateError} if a function refuses its arguments.
 */
export function evaluate(expression: BoundExpression, variables: BuildVariables): Value {
  if (expression.kind === "literal") return expression.value;
  if (expression.kind === "field") return fieldValue(expression.path, variables);
  const { name, implementation, operands, offset } = expression;
  const values = operands.map((operand) => evaluate(operand, variables));
  values.forEach((value, index) => {
    checkArgument(value, {
      name,
      index,
      parameter: implementation.parameters[index],
      offset: operands[index]?.offset ?? offset,
    });
  });
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
  readonly parameter: "text" | "integer" | undefined;
  readonly offset: number;
}

function checkArgument(value: Value, { name, index, parameter, offset }: Argument): void {
  const fits = parameter === "text" ? typeof value === "string" : Number.isSafeInteger(value);
  if (fits) return;
  const shown = typeof value === "string" ? JSON.stringify(value) : printed(value);
  const wanted = parameter === "text" ? "a string" : "a whole number";
  throw new GoTemplateError(`Argument ${index + 1} of "${name}" must be ${wanted}, not ${shown}`, offset);
}

/** Whether `.Name` is a map. Its entries are the build variables `Name.<key>`. */
export function isMapField(name: string): boolean {
  return name === "SourceAMITags";
}

function fieldValue([name = "", key]: readonly string[], variables: BuildVariables): Value {
  if (!isMapField(name)) return variables[name] ?? NO_VALUE;
  if (key !== undefined) return variables[`${name}.${key}`] ?? NO_VALUE;
  const entries = Object.entries(variables).filter(([variable]) => variable.startsWith(`${name}.`));
  return new Map(entries.map(([variable, value]) => [variable.slice(name.length + 1), value]));
}

/** A value as Go prints it in a template. */
export function printed(value: Value): string {
  if (typeof value !== "object") return String(value);
  const entries = [...value].sort(([a], [b]) => (a < b ? -1 : 1));
  return `map[${entries.map(([key, entry]) => `${key}:${entry}`).join(" ")}]`;
}
