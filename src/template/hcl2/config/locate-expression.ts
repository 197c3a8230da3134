// From an expression to the values that schemas are asked about: evaluated, each part with the place where it stands.
import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import type { LocatedMember, LocatedValue } from "../../plan/located-value.ts";
import type { Scope } from "../evaluate/scope.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
import { entriesOf, isKnown, itemsOf, rationalIn } from "../values/contents.ts";
import { convert } from "../values/convert.ts";
import { numberOf, numberText } from "../values/number-text.ts";
import { type HclValue, STRING } from "../values/value.ts";
import { mustBeKnown, tryEvaluate } from "./evaluation.ts";
import { buildVariablesOf, type RuntimeScope, runtimeValue } from "./runtime-value.ts";
import { textsIn } from "./secrets.ts";
import { usesSensitive } from "./sensitive-names.ts";

export interface LocateOptions {
  readonly scope: Scope;
  readonly problems: ProblemList;
  /** Where `build` is known later. Missing where it never is. */
  readonly runtime?: RuntimeScope | undefined;
}

/** An expression that has no value is told, and then as one that nothing can be said of. */
export function locateExpression(expression: Expression, options: LocateOptions): LocatedValue {
  const location = expression.range.start;
  switch (expression.kind) {
    case "parentheses":
      return locateExpression(expression.expression, options);
    case "tuple":
      return { kind: "array", location, items: expression.items.map((item) => locateExpression(item, options)) };
    case "object": {
      const members = expression.items.map((item) => locateMember(item, options));
      // A key that is not known could be any. Where something is wrong there is no plan, and the other keys are checked.
      if (members.includes(undefined) && options.problems.isEmpty) return { kind: "unevaluated", location };
      return { kind: "object", location, members: withoutRepeated(members.filter((member) => member !== undefined)) };
    }
    case "template": {
      const [part, ...others] = expression.parts;
      if (part === undefined) return { kind: "string", value: "", location, locate: () => location };
      if (part.kind === "text" && others.length === 0) {
        return { kind: "string", value: part.text, location, locate: part.locate };
      }
    }
  }
  const value = tryEvaluate(expression, options);
  if (value !== undefined && usesSensitive(expression, options.scope)) {
    for (const text of textsIn(value)) options.problems.hide(text);
  }
  return value === undefined ? { kind: "unevaluated", location } : locateValue(value, expression, [], options);
}

type ObjectItem = Extract<Expression, { kind: "object" }>["items"][number];

function locateMember({ key, value }: ObjectItem, options: LocateOptions): LocatedMember | undefined {
  const keyLocation = key.range.start;
  const name = tryEvaluate(key, options);
  const located = locateExpression(value, options);
  if (name === undefined) return undefined;
  if (!isKnown(name)) {
    const isOfBuild = options.runtime !== undefined && buildVariablesOf(key, options.runtime.later).length > 0;
    if (isOfBuild || mustBeKnown(options)) {
      options.problems.add("A key must be known before the build runs", { location: keyLocation });
    }
    return undefined;
  }
  const isName = name.type.kind === "string" || name.type.kind === "number" || name.type.kind === "bool";
  const text = isName ? convert(name, STRING).content : undefined;
  if (typeof text !== "string") {
    options.problems.add("The key of an object must be a text", { location: keyLocation });
    return undefined;
  }
  return { key: text, keyLocation, locateInKey: () => keyLocation, value: located };
}

/** As in HCL: of two with one name, the later one counts. */
function withoutRepeated(members: readonly LocatedMember[]): LocatedMember[] {
  return [...new Map(members.map((member) => [member.key, member])).values()];
}

/** What a data source would say that has not been asked. If all have been, and have answered, nobody will ever know it. */
function unevaluated(location: SourceLocation, options: LocateOptions): LocatedValue {
  if (mustBeKnown(options)) options.problems.add("This is not known before the build runs", { location });
  return { kind: "unevaluated", location };
}

/** @param path of the value in that of the expression. */
function locateValue(
  value: HclValue,
  expression: Expression,
  path: readonly (string | number)[],
  options: LocateOptions,
): LocatedValue {
  const location = expression.range.start;
  const { content } = value;
  const locate = (): SourceLocation => location;
  if (content === null) return { kind: "null", location };
  if (!isKnown(value)) return runtimeValue(value, expression, path, options) ?? unevaluated(location, options);
  if (typeof content === "string") return { kind: "string", value: content, location, locate };
  if (typeof content === "boolean") return { kind: "boolean", value: content, location };
  if (value.type.kind === "number") {
    const number = rationalIn(value);
    return { kind: "number", value: numberOf(number), text: numberText(number), location };
  }
  if (Array.isArray(content)) {
    const items = itemsOf(value).map((item, index) => locateValue(item, expression, [...path, index], options));
    return { kind: "array", location, items };
  }
  const members = [...entriesOf(value)].map(([key, entry]) => ({
    key,
    keyLocation: location,
    locateInKey: locate,
    value: locateValue(entry, expression, [...path, key], options),
  }));
  return { kind: "object", location, members };
}
