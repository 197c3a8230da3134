import { nearMiss } from "../../base/suggest.ts";
import type { BuildVariables } from "../deferred.ts";
import { type BoundExpression, evaluate, isMapField } from "./evaluate.ts";
import { BRACES_HINT } from "./lexer.ts";
import { type Expression, GoTemplateError } from "./syntax.ts";
import type { TemplateFunction } from "./template-function.ts";

/** What the expressions of one template string may use. */
export interface TemplateScope {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  /** Functions that are known but cannot be called here, and why. */
  readonly absentFunctions: ReadonlyMap<string, string>;
  /** Build variables that exist when the string is rendered: `Device` for `.Device`. */
  readonly fields: ReadonlySet<string>;
  /** Whether ``build `Device` `` means the same as `.Device`. */
  readonly hasBuildFunction: boolean;
  /** Fields that have their value already. */
  readonly known: BuildVariables;
}

type Call = Extract<Expression, { kind: "call" }>;
type Field = Extract<Expression, { kind: "field" }>;

/**
 * Looks up every name and evaluates what needs no build variable.
 *
 * @throws {GoTemplateError} for what can never work.
 */
export function bindExpression(expression: Expression, scope: TemplateScope): BoundExpression {
  if (expression.kind === "literal") return expression;
  if (expression.kind === "field") return bindField(expression, scope);
  if (expression.name === "build" && scope.hasBuildFunction) return bindBuild(expression, scope);
  const operands = expression.operands.map((operand) => bindExpression(operand, scope));
  const implementation = findFunction(expression, scope);
  checkArgumentCount(expression, implementation);
  const bound: BoundExpression = { ...expression, operands, implementation };
  if (!operands.every((operand) => operand.kind === "literal")) return bound;
  return { kind: "literal", value: evaluate(bound, {}), offset: expression.offset };
}

function bindField(field: Field, scope: TemplateScope): BoundExpression {
  const [name = "", ...keys] = field.path;
  const shown = `.${field.path.join(".")}`;
  if (!scope.fields.has(name)) throw unknownField(name, shown, field.offset, scope);
  if (keys.length > (isMapField(name) ? 1 : 0)) {
    throw new GoTemplateError(
      `"${shown}" does not exist: ".${field.path.slice(0, -1).join(".")}" is text`,
      field.offset,
    );
  }
  const known = scope.known[name];
  return known === undefined ? field : { kind: "literal", value: known, offset: field.offset };
}

function unknownField(name: string, shown: string, offset: number, { fields }: TemplateScope): GoTemplateError {
  if (fields.size === 0)
    return new GoTemplateError(`No build variable such as "${shown}" exists here`, offset, BRACES_HINT);
  const allowed = [...fields].map((field) => `".${field}"`).join(", ");
  const meant = nearMiss(name, fields);
  const hint = meant === undefined ? BRACES_HINT : `Did you mean ".${meant}"?`;
  return new GoTemplateError(`Unknown build variable "${shown}": here there are ${allowed}`, offset, hint);
}

function bindBuild(call: Call, scope: TemplateScope): BoundExpression {
  const operands = call.operands.map((operand) => bindExpression(operand, scope));
  const [name] = operands;
  if (name?.kind !== "literal" || typeof name.value !== "string" || operands.length > 1) {
    throw new GoTemplateError('"build" takes one name', call.offset, "Write for example {{build `SourceAMI`}}");
  }
  const names = [...scope.fields].filter((field) => !isMapField(field));
  if (names.includes(name.value)) return { kind: "field", path: [name.value], offset: call.offset };
  const meant = nearMiss(name.value, names);
  throw new GoTemplateError(
    `Unknown build variable "${name.value}": here there are ${names.map((known) => `"${known}"`).join(", ")}`,
    name.offset,
    meant === undefined ? undefined : `Did you mean "${meant}"?`,
  );
}

function findFunction({ name, offset }: Call, scope: TemplateScope): TemplateFunction {
  const found = scope.functions.get(name);
  if (found !== undefined) return found;
  const absent = scope.absentFunctions.get(name);
  if (absent !== undefined) throw new GoTemplateError(`The template function "${name}" ${absent}`, offset);
  const meant = nearMiss(name, scope.functions.keys());
  const hint = meant === undefined ? BRACES_HINT : `Did you mean "${meant}"?`;
  throw new GoTemplateError(`Unknown template function "${name}"`, offset, hint);
}

function checkArgumentCount({ name, operands, offset }: Call, implementation: TemplateFunction): void {
  const { parameters, optionalCount = 0, usage } = implementation;
  const fewest = parameters.length - optionalCount;
  if (operands.length >= fewest && operands.length <= parameters.length) return;
  const wanted = fewest === parameters.length ? `${fewest}` : `${fewest} or ${parameters.length}`;
  const noun = parameters.length === 1 ? "argument" : "arguments";
  throw new GoTemplateError(
    `The template function "${name}" takes ${wanted} ${noun}, not ${operands.length}`,
    offset,
    `Write for example {{${usage}}}`,
  );
}
