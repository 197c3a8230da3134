import { nearMiss } from "../../../base/suggest.ts";
import type { CallExpression, Expression, ObjectExpression } from "../syntax/syntax-tree.ts";
import { ConversionError } from "../values/conversion-error.ts";
import { convert } from "../values/convert.ts";

import { BOOL, DYNAMIC, type HclType, type HclValue, NUMBER, STRING } from "../values/value.ts";
import { evaluate } from "./evaluate.ts";
import { collect, HclError } from "./hcl-error.ts";

const SIMPLE: ReadonlyMap<string, HclType> = new Map([
  ["string", STRING],
  ["number", NUMBER],
  ["bool", BOOL],
  ["any", DYNAMIC],
]);

const USAGES: ReadonlyMap<string, string> = new Map([
  ["list", "list(string)"],
  ["set", "set(string)"],
  ["map", "map(string)"],
  ["tuple", "tuple([string, number])"],
  ["object", "object({ name = string, size = optional(number, 8) })"],
]);

// Of types in each other; values of deeper ones there are none.
const DEPTH_MAX = 100;

/**
 * The type that a variable's `type` names: `string`, `list(string)`, `object({ a = string, b = optional(number, 3) })`.
 *
 * @throws {HclError}
 */
export function parseType(expression: Expression, depth = 0): HclType {
  const { range } = expression;
  if (depth > DEPTH_MAX) throw new HclError(`The type is nested more than ${DEPTH_MAX} levels deep`, range);
  switch (expression.kind) {
    case "variable":
      return namedType(expression.name, expression);
    case "call":
      return constructedType(expression, depth);
    case "parentheses":
      return parseType(expression.expression, depth + 1);
    case "template":
      throw new HclError("A type is written without quotes", range, { hint: quotedHint(expression.parts) });
    default:
      throw new HclError("This is not a type", range, { hint: "Write a type such as string or list(string)" });
  }
}

function quotedHint(parts: readonly { readonly kind: string; readonly text?: string }[]): string {
  const [part] = parts;
  const text = parts.length === 1 && part?.kind === "text" ? part.text : undefined;
  if (text === "list" || text === "map") return `Write ${USAGES.get(text)}`;
  return text !== undefined && SIMPLE.has(text) ? `Write ${text}` : "Write a type such as string or list(string)";
}

function namedType(name: string, { range }: Expression): HclType {
  const simple = SIMPLE.get(name);
  if (simple !== undefined) return simple;
  const usage = USAGES.get(name);
  if (usage !== undefined) {
    throw new HclError(`"${name}" must say of what`, range, { hint: `Write ${usage}` });
  }
  throw noSuchType(name, { range });
}

function constructedType(expression: CallExpression, depth: number): HclType {
  const { name, nameRange, range } = expression;
  const usage = USAGES.get(name);
  if (name === "optional") {
    throw new HclError('"optional" is only for an attribute of an object', nameRange, {
      hint: `Write ${USAGES.get("object")}`,
    });
  }
  if (SIMPLE.has(name)) throw new HclError(`"${name}" takes no arguments`, range, { hint: `Write ${name}` });
  if (usage === undefined) throw noSuchType(name, { range: nameRange });
  const [argument] = expression.arguments;
  if (argument === undefined || expression.arguments.length > 1 || expression.expandsLast) {
    throw new HclError(`"${name}" needs 1 argument, not ${expression.arguments.length}`, range, {
      hint: `Write ${usage}`,
    });
  }
  switch (name) {
    case "tuple": {
      if (argument.kind !== "tuple")
        throw new HclError('"tuple" needs a list of types', argument.range, { hint: `Write ${usage}` });
      return { kind: "tuple", elements: collect(argument.items.map((item) => () => parseType(item, depth + 1))) };
    }
    case "object":
      if (argument.kind !== "object")
        throw new HclError('"object" needs attributes with their types', argument.range, { hint: `Write ${usage}` });
      return objectType(argument, depth);
    case "list":
    case "set":
    case "map":
      return { kind: name, element: parseType(argument, depth + 1) };
    default:
      throw new TypeError(`No type is made by "${name}"`);
  }
}

interface AttributeType {
  readonly name: string;
  readonly type: HclType;
  readonly isOptional: boolean;
  readonly fallback: HclValue | undefined;
}

function objectType({ items }: ObjectExpression, depth: number): HclType {
  const names = new Set<string>();
  const parsed = collect(
    items.map(({ key, value }) => (): AttributeType => {
      const name = attributeName(key);
      if (names.has(name)) throw new HclError(`The attribute "${name}" is there twice`, key.range);
      names.add(name);
      return { name, ...attributeType(value, depth) };
    }),
  );
  const attributes = new Map(parsed.map(({ name, type }) => [name, type]));
  const optional = new Map(parsed.filter(({ isOptional }) => isOptional).map(({ name, fallback }) => [name, fallback]));
  return optional.size === 0 ? { kind: "object", attributes } : { kind: "object", attributes, optional };
}

/** A name without quotes is a text too, whose range is that of the whole key. */
function attributeName(key: Expression): string {
  const part = key.kind === "template" && key.parts.length === 1 ? key.parts[0] : undefined;
  if (part?.kind === "text" && part.range === key.range) return part.text;
  const hint = part?.kind === "text" ? `Write ${part.text} without quotes` : undefined;
  throw new HclError("The name of an attribute must be a plain name", key.range, { hint });
}

function attributeType(expression: Expression, depth: number): Omit<AttributeType, "name"> {
  if (expression.kind !== "call" || expression.name !== "optional") {
    return { type: parseType(expression, depth + 1), isOptional: false, fallback: undefined };
  }
  const [typeExpression, fallback] = expression.arguments;
  if (typeExpression === undefined || expression.arguments.length > 2 || expression.expandsLast) {
    throw new HclError('"optional" needs a type, and may have a default', expression.range, {
      hint: "Write optional(string) or optional(number, 8)",
    });
  }
  const type = parseType(typeExpression, depth + 1);
  return { type, isOptional: true, fallback: fallback === undefined ? undefined : defaultOf(fallback, type) };
}

/** @returns `undefined` for null, which is there without a default too. */
function defaultOf(expression: Expression, type: HclType): HclValue | undefined {
  const value = evaluate(expression, { variables: new Map(), functions: new Map() });
  try {
    const converted = convert(value, type);
    return converted.content === null ? undefined : converted;
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    throw new HclError(`The default ${error.message}`, expression.range, { hint: error.hint });
  }
}

function noSuchType(name: string, { range }: Pick<Expression, "range">): HclError {
  const near = nearMiss(name, [...SIMPLE.keys(), ...USAGES.keys()]);
  const hint = near === undefined ? "Write a type such as string or list(string)" : `Did you mean "${near}"?`;
  return new HclError(`There is no type "${name}"`, range, { hint });
}
