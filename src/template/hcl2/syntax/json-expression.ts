import type { JsonMember, JsonString, JsonValue } from "../../../base/json/json-value.ts";
import type { ProblemList } from "../../../base/problems.ts";
import type { SourceLocation } from "../../../base/source-location.ts";
import { parseHclTemplate } from "./parse-hcl.ts";
import type { Expression, SourceRange, TemplateExpression } from "./syntax-tree.ts";

/** What a JSON value is as an expression: strings, and the keys of objects, are templates. */
export function jsonExpression(value: JsonValue, problems: ProblemList): Expression {
  const range = rangeAt(value.location);
  switch (value.kind) {
    case "string":
      return stringTemplate(value, problems);
    case "number":
      return { kind: "literal", value: { number: value.text }, range };
    case "boolean":
      return { kind: "literal", value: value.value, range };
    case "null":
      return { kind: "literal", value: null, range };
    case "array":
      return { kind: "tuple", items: value.items.map((item) => jsonExpression(item, problems)), range };
    case "object": {
      const keys = new Set<string>();
      for (const member of value.members) {
        if (keys.has(member.key)) addTwice(member, problems);
        keys.add(member.key);
      }
      const items = value.members.map((member) => ({
        key: stringTemplate(keyString(member), problems),
        value: jsonExpression(member.value, problems),
      }));
      return { kind: "object", items, range };
    }
  }
}

/** Only blocks may be repeated. */
export function addTwice({ key, keyLocation }: JsonMember, problems: ProblemList): void {
  problems.add(`The key "${key}" is there twice`, { location: keyLocation });
}

/** JSON values know only where they begin. */
export function rangeAt(start: SourceLocation): SourceRange {
  return { start, end: start };
}

/** From the first quote to the last. */
export function keyRange(member: JsonMember): SourceRange {
  return stringRange(keyString(member));
}

function keyString({ key, keyLocation, locateInKey }: JsonMember): JsonString {
  return { kind: "string", value: key, location: keyLocation, locate: locateInKey };
}

function stringRange({ location, value, locate }: JsonString): SourceRange {
  return {
    start: location,
    get end() {
      const quote = locate(value.length);
      return { ...quote, column: quote.column + 1 };
    },
  };
}

function stringTemplate(string: JsonString, problems: ProblemList): TemplateExpression {
  const { value, locate } = string;
  const range = stringRange(string);
  if (!/[$%]\{/.test(value)) {
    // Most strings: there is nothing to parse, and no place to look up.
    const parts = value === "" ? [] : [{ kind: "text" as const, text: value, locate, range }];
    return { kind: "template", parts, range };
  }
  const template = parseHclTemplate({ text: value, locate }, problems);
  return { kind: "template", parts: template?.parts ?? [], range };
}
