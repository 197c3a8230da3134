import type { Expression, SourceRange, TemplatePart } from "../syntax/syntax-tree.ts";
import { SPLAT_ITEM } from "../syntax/syntax-tree.ts";

/** A name from outside that an expression uses. */
export interface Reference {
  /** `["var", "name"]`, `["data", "amazon-ami", "x", "id"]`: up to where only evaluation tells what is meant. */
  readonly path: readonly string[];
  readonly range: SourceRange;
}

/** What is yet to be looked at, and the names that a `for` around it has given. */
interface Task {
  readonly expression: Expression;
  readonly bound: ReadonlySet<string>;
}

/** All references in an expression, in its order. A name that is used twice is there twice. */
export function references(expression: Expression): Reference[] {
  const found: Reference[] = [];
  // A list, and not calls of itself: an expression can be nested deeply.
  const tasks: Task[] = [{ expression, bound: new Set([SPLAT_ITEM]) }];
  for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
    const { bound } = task;
    const reference = referenceOf(task.expression);
    if (reference !== undefined) {
      if (!bound.has(reference.path[0] ?? "")) found.push(reference);
      continue;
    }
    tasks.push(...partsOf(task.expression, bound).reverse());
  }
  return found;
}

/** A variable, and the names that are taken of it one after the other: `data.type.name["id"]`. */
function referenceOf(expression: Expression): Reference | undefined {
  const names: string[] = [];
  for (let current = expression; ; ) {
    if (current.kind === "variable") return { path: [current.name, ...names.reverse()], range: expression.range };
    const name = nameOf(current);
    if (name === undefined) return undefined;
    names.push(name.name);
    current = name.of;
  }
}

function nameOf(expression: Expression): { readonly of: Expression; readonly name: string } | undefined {
  if (expression.kind === "attribute") return expression;
  if (expression.kind !== "index" || expression.key.kind !== "template") return undefined;
  const [part] = expression.key.parts;
  const isName = expression.key.parts.length === 1 && part?.kind === "text";
  return isName ? { of: expression.of, name: part.text } : undefined;
}

function partsOf(expression: Expression, bound: ReadonlySet<string>): Task[] {
  const here = (...parts: readonly (Expression | undefined)[]): Task[] =>
    parts.flatMap((part) => (part === undefined ? [] : [{ expression: part, bound }]));
  switch (expression.kind) {
    case "literal":
    case "variable":
      return [];
    case "template":
      return partsOfTemplate(expression.parts, bound);
    case "attribute":
      return here(expression.of);
    case "index":
      return here(expression.of, expression.key);
    case "splat":
      return here(expression.of, expression.each);
    case "call":
      return here(...expression.arguments);
    case "conditional":
      return here(expression.condition, expression.then, expression.else);
    case "binary":
      return here(expression.left, expression.right);
    case "unary":
      return here(expression.operand);
    case "tuple":
      return here(...expression.items);
    case "object":
      return expression.items.flatMap(({ key, value }) => here(key, value));
    case "parentheses":
      return here(expression.expression);
    case "for": {
      const inner = withNames(bound, expression);
      const parts = [expression.key, expression.value, expression.condition];
      const tasks = parts.flatMap((part) => (part === undefined ? [] : [{ expression: part, bound: inner }]));
      return [...here(expression.collection), ...tasks];
    }
  }
}

function partsOfTemplate(parts: readonly TemplatePart[], bound: ReadonlySet<string>): Task[] {
  return parts.flatMap((part) => partsOfPart(part, bound));
}

function partsOfPart(part: TemplatePart, bound: ReadonlySet<string>): Task[] {
  switch (part.kind) {
    case "text":
      return [];
    case "interpolation":
      return [{ expression: part.expression, bound }];
    case "if":
      return [
        { expression: part.condition, bound },
        ...partsOfTemplate(part.then, bound),
        ...partsOfTemplate(part.else, bound),
      ];
    case "for":
      return [{ expression: part.collection, bound }, ...partsOfTemplate(part.body, withNames(bound, part))];
  }
}

function withNames(
  bound: ReadonlySet<string>,
  { keyName, valueName }: { readonly keyName: string | undefined; readonly valueName: string },
): ReadonlySet<string> {
  return new Set([...bound, valueName, ...(keyName === undefined ? [] : [keyName])]);
}
