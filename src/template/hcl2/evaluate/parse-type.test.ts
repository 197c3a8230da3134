import assert from "node:assert/strict";
import { test } from "node:test";
import { parseText } from "../../../../test/helpers/hcl-expressions.ts";
import { numberValue, tupleValue } from "../values/construct.ts";
import { DYNAMIC, type HclType, NUMBER, STRING } from "../values/value.ts";
import { HclError } from "./hcl-error.ts";
import { parseType } from "./parse-type.ts";

const parsed = (text: string): HclType => parseType(parseText(text));

test("parseType() reads the types of variables", () => {
  const cases: readonly [string, HclType][] = [
    ["string", STRING],
    ["any", DYNAMIC],
    ["list(string)", { kind: "list", element: STRING }],
    ["map(any)", { kind: "map", element: DYNAMIC }],
    ["set(list(number))", { kind: "set", element: { kind: "list", element: NUMBER } }],
    ["tuple([string, number])", { kind: "tuple", elements: [STRING, NUMBER] }],
    ["object({})", { kind: "object", attributes: new Map() }],
    [
      "object({ a = string, b = any })",
      {
        kind: "object",
        attributes: new Map([
          ["a", STRING],
          ["b", DYNAMIC],
        ]),
      },
    ],
    [
      'object({ a = optional(string), b = optional(number, "3"), c = optional(list(number), [1, 2]) })',
      {
        kind: "object",
        attributes: new Map<string, HclType>([
          ["a", STRING],
          ["b", NUMBER],
          ["c", { kind: "list", element: NUMBER }],
        ]),
        optional: new Map([
          ["a", undefined],
          ["b", numberValue(3)],
          ["c", { ...tupleValue([numberValue(1), numberValue(2)]), type: { kind: "list", element: NUMBER } }],
        ]),
      },
    ],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parsed(text), expected, text);
});

test("what is no type is refused, with what to write", () => {
  const cases: readonly [string, string, string | undefined][] = [
    ["strng", 'There is no type "strng"', 'Did you mean "string"?'],
    ["list", '"list" must say of what', "Write list(string)"],
    ['"string"', "A type is written without quotes", "Write string"],
    ['"list"', "A type is written without quotes", "Write list(string)"],
    ["string(number)", '"string" takes no arguments', "Write string"],
    ["lst(string)", 'There is no type "lst"', 'Did you mean "list"?'],
    ["list()", '"list" needs 1 argument, not 0', "Write list(string)"],
    ["map(string, string)", '"map" needs 1 argument, not 2', "Write map(string)"],
    ["tuple(string)", '"tuple" needs a list of types', "Write tuple([string, number])"],
    [
      "object(string)",
      '"object" needs attributes with their types',
      "Write object({ name = string, size = optional(number, 8) })",
    ],
    [
      "optional(string)",
      '"optional" is only for an attribute of an object',
      "Write object({ name = string, size = optional(number, 8) })",
    ],
    [
      "object({ a = optional() })",
      '"optional" needs a type, and may have a default',
      "Write optional(string) or optional(number, 8)",
    ],
    ["object({ a = string, a = number })", 'The attribute "a" is there twice', undefined],
    ['object({ a = optional(number, "x") })', 'The default must be a number, not "x"', undefined],
    ["object({ a = optional(number, var.x) })", 'There is no variable "var"', undefined],
    ["5", "This is not a type", "Write a type such as string or list(string)"],
    ["var.x", "This is not a type", "Write a type such as string or list(string)"],
  ];
  for (const [text, message, hint] of cases) {
    assert.throws(
      () => parsed(text),
      (error) => {
        assert.ok(error instanceof HclError, text);
        assert.deepEqual([text, error.message, error.hint], [text, message, hint]);
        return true;
      },
    );
  }
  assert.throws(
    () => parsed("object({ a = strng, b = [lst] })"),
    (error) => error instanceof HclError && error.all.length === 2,
  );
});
