import type { Expression, TemplatePart } from "../../../src/template/hcl2/syntax/syntax-tree.ts";
import { stepOf } from "./hclsyntax.ts";

/** The shape of a tree, as `goOutline` writes that of Go's: where Go's has other nodes, this makes them of ours. */
export function outline(expression: Expression): string {
  switch (expression.kind) {
    case "literal":
      return literalText(expression.value);
    case "template":
      return templateOutline(expression.parts);
    case "variable":
    case "attribute":
    case "index":
      return traversalOutline(expression);
    case "splat":
      return list("splat", outline(expression.of), outline(expression.each));
    case "call": {
      const { name, expandsLast, arguments: list_ } = expression;
      return list("call", name, ...(expandsLast ? ["..."] : []), ...list_.map(outline));
    }
    case "conditional":
      return list("conditional", outline(expression.condition), outline(expression.then), outline(expression.else));
    case "binary":
      return list(expression.operator, outline(expression.left), outline(expression.right));
    case "unary":
      return list(expression.operator, outline(expression.operand));
    case "tuple":
      return list("tuple", ...expression.items.map(outline));
    case "object":
      return list("object", ...expression.items.flatMap(({ key, value }) => [keyOutline(key), outline(value)]));
    case "for": {
      const { keyName, valueName, isGrouping, collection, key, value, condition } = expression;
      const names = [keyName, valueName].filter((name) => name !== undefined).join(",");
      const inner = [collection, key, value, condition].filter((child) => child !== undefined);
      return list("for", `${names}${isGrouping ? "..." : ""}`, ...inner.map(outline));
    }
    case "parentheses":
      return list("in", outline(expression.expression));
  }
}

function list(...items: readonly string[]): string {
  return `(${items.join(" ")})`;
}

function literalText(value: { readonly number: string } | boolean | null): string {
  return typeof value === "object" && value !== null ? value.number : String(value);
}

/** Steps whose key is known are one node in Go's tree, from the first on. */
function traversalOutline(expression: Expression): string {
  const steps: string[] = [];
  let from = expression;
  for (;;) {
    const step = stepTextOf(from);
    if (step === undefined || (from.kind !== "attribute" && from.kind !== "index")) break;
    steps.unshift(step);
    from = from.of;
  }
  if (from.kind === "variable" && from.name !== "*") return list("traverse", from.name, ...steps);
  if (steps.length > 0) return list("traverse-from", ...steps, from.kind === "variable" ? "name" : outline(from));
  if (from.kind === "index") return list("index", outline(from.of), outline(from.key));
  return "name";
}

function stepTextOf(expression: Expression): string | undefined {
  if (expression.kind === "attribute") return stepOf(expression.name);
  if (expression.kind !== "index") return undefined;
  const { key } = expression;
  if (key.kind === "literal")
    return stepOf(typeof key.value === "object" && key.value !== null ? key.value.number : "");
  if (key.kind !== "template") return undefined;
  const [part, ...rest] = key.parts;
  if (rest.length > 0 || (part !== undefined && part.kind !== "text")) return undefined;
  return `"${part?.text ?? ""}"`;
}

function keyOutline(key: Expression): string {
  const isBareName = key.kind === "template" && key.range.end.column - key.range.start.column === textLength(key.parts);
  return isBareName ? "name" : list("in", outline(key));
}

/** Of a key without quotes, it is the length of the whole. */
function textLength(parts: readonly TemplatePart[]): number {
  return parts.reduce((length, part) => length + (part.kind === "text" ? [...part.text].length : Number.NaN), 0);
}

function templateOutline(parts: readonly TemplatePart[]): string {
  const [part] = parts;
  if (part === undefined) return list("template", "text");
  if (parts.length === 1 && part.kind === "interpolation") return list("templateWrap", outline(part.expression));
  return partsOutline(parts);
}

function partsOutline(parts: readonly TemplatePart[]): string {
  return list("template", ...(parts.length === 0 ? ["text"] : parts.map(partOutline)));
}

function partOutline(part: TemplatePart): string {
  switch (part.kind) {
    case "text":
      return "text";
    case "interpolation":
      return outline(part.expression);
    case "if":
      return list("conditional", outline(part.condition), partsOutline(part.then), partsOutline(part.else));
    case "for": {
      const names = [part.keyName, part.valueName].filter((name) => name !== undefined).join(",");
      return list("templateJoin", list("for", names, outline(part.collection), partsOutline(part.body)));
    }
  }
}
