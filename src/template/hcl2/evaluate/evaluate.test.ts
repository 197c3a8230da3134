// What Packer says of known values is in test/contract/packer-hcl2-expressions.test.ts.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: The templates of HCL2 look like JavaScript's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { evaluateText } from "../../../../test/helpers/hcl-expressions.ts";
import {
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "../values/construct.ts";
import { printValue } from "../values/print-value.ts";
import { typeName } from "../values/types.ts";
import { DYNAMIC, type HclType, type HclValue, NUMBER, STRING, UNKNOWN } from "../values/value.ts";
import { HclError } from "./hcl-error.ts";

const LIST_OF_NUMBER: HclType = { kind: "list", element: NUMBER };

const VARIABLES: ReadonlyMap<string, HclValue> = new Map([
  ["build", objectValue([["ID", unknownValue(STRING)]])],
  ["data", unknownValue(DYNAMIC)],
  ["ports", unknownValue(LIST_OF_NUMBER)],
  ["tags", unknownValue({ kind: "map", element: STRING })],
  ["disk", unknownValue({ kind: "object", attributes: new Map([["size", NUMBER]]) })],
  ["pair", unknownValue({ kind: "tuple", elements: [STRING, NUMBER] })],
  ["names", setValue(STRING, [stringValue("b"), stringValue("a")])],
  ["nothing", nullValue(LIST_OF_NUMBER)],
  [
    "var",
    objectValue([
      ["region", stringValue("eu-west-1")],
      ["sizes", tupleValue([numberValue(8)])],
    ]),
  ],
]);

const evaluated = (text: string) => evaluateText(text, { variables: VARIABLES });

test("what is not known yet makes unknown what is made of it, of the type that is known", () => {
  const types: Readonly<Record<string, string>> = {
    "build.ID": "string",
    '"i-${build.ID}"': "string",
    '"${build.ID}"': "string",
    "data.x.y[0].z": "any type",
    "ports[0]": "number",
    "ports[data]": "number",
    "[1][data.index]": "any type",
    "{a = 1}[build.ID]": "any type",
    "tags.Name": "string",
    'tags["Name"]': "string",
    "disk.size": "number",
    "pair[0]": "string",
    "ports[*]": "list of number",
    "data[*].id": "any type",
    "pair[*]": "tuple",
    "[for p in ports : p]": "any type",
    "[for x in [1] : x if data.condition]": "any type",
    "{for x in [1] : build.ID => x}": "any type",
    "{(build.ID) = 1}": "any type",
    "data.flag ? 1 : 2": "number",
    'data.flag ? 1 : "a"': "string",
    "data.number + 1": "number",
    "-data.number": "number",
    "data.number > 1": "bool",
    'build.ID == "a"': "bool",
    'build.ID != "a"': "bool",
    "!data.flag": "bool",
    "data.flag && true": "bool",
    "false || data.flag": "bool",
    "upper(build.ID)": "string",
    "max(data.numbers...)": "number",
    '"%{ if data.flag }a%{ endif }"': "string",
    '"%{ for p in ports }${p}%{ endfor }"': "string",
  };
  for (const [text, name] of Object.entries(types)) {
    const value = evaluated(text);
    assert.equal(value.content, UNKNOWN, text);
    assert.equal(typeName(value.type), name, text);
  }
});

test("what does not depend on it is known", () => {
  const values: Readonly<Record<string, string>> = {
    "[build.ID, 1][1]": "1",
    "{a = build.ID, b = 2}.b": "2",
    "data.flag && false": "false",
    "data.flag || true": "true",
    "true ? 1 : data.number": "1",
    "length([build.ID, build.ID])": "2",
    "[for x in [build.ID] : 1]": "[\n  1,\n]",
    "[for k, v in names : k == v]": "[\n  true,\n  true,\n]",
    "1 == 1 ? 1 : build.nothing": "1",
  };
  for (const [text, printed] of Object.entries(values)) assert.equal(printValue(evaluated(text)), printed, text);
});

test("an error says what is wrong, what is meant, and where", () => {
  const cases: readonly [string, string, string | undefined, number][] = [
    ["1 + vra.region", 'There is no variable "vra"', 'Did you mean "var"?', 5],
    ["var.regoin", 'The object has no attribute "regoin"', 'Did you mean "region"?', 5],
    ["var.x", 'The object has no attribute "x"', 'It has "region", "sizes"', 5],
    ['{}["a"]', 'The object has no attribute "a"', "It is empty", 4],
    ["disk.sise", 'The object has no attribute "sise"', 'Did you mean "size"?', 6],
    ["var.sizes[1]", "There is no element 1: the tuple has 1 element", "The first element is 0", 11],
    ["var.sizes[-1]", "An index must be a whole number from 0 on, not -1", undefined, 11],
    [
      "var.sizes.first",
      'Cannot take "first" of a tuple: it has no attributes',
      'Take one element with "[0]", or "first" of all elements with "[*].first"',
      11,
    ],
    ["var.region.name", 'Cannot take "name" of a string: it has no attributes', undefined, 12],
    [
      "names[0]",
      "The elements of a set have no index",
      "Make a list of it first, which is sorted: [for element in the_set : element][0]",
      1,
    ],
    ["null.a", 'Cannot take "a" of null', undefined, 6],
    ['1 + "a"', 'The right operand of "+" must be a number, not "a"', undefined, 5],
    ["null < 1", 'The left operand of "<" must not be null', undefined, 1],
    ["1 / 0", "Cannot divide by zero", undefined, 1],
    ['"a" ? 1 : 2', 'The condition must be a bool, not "a"', undefined, 1],
    [
      "true ? [] : {}",
      "Both results of a condition must be of one type: they are tuple and object",
      "Convert one of them, or write both alike",
      1,
    ],
    ['"a${[]}"', "A value in a text must be a string, not a tuple", undefined, 5],
    ['"a${null}"', "A value in a text must not be null", undefined, 5],
    ['[for x in "abc" : x]', 'A "for" cannot go through "abc"', "Give it a list, a set, a map or an object", 11],
    [
      '{for x in ["a", "a"] : x => 1}',
      'Two elements have the key "a"',
      'Write "..." after the value to have a list of all values of a key',
      24,
    ],
    ["{(null) = 1}", "A key must not be null", undefined, 2],
    ["nothing[*]", "Cannot take the elements of null, which should be a list here", undefined, 1],
    ['uper("a")', 'There is no function "uper"', 'Did you mean "upper"?', 1],
    ['substr("a")', '"substr" needs 3 arguments, not 1', 'Write substr("hello", 1, 3)', 1],
    ["upper([])", 'Argument 1 of "upper" (str) must be a string, not a tuple', undefined, 7],
    ["upper(null)", 'Argument 1 of "upper" (str) must not be null', 'Write upper("Text")', 7],
    ["max(1...)", 'Before "..." must be a list, not a number', undefined, 5],
  ];
  for (const [text, message, hint, column] of cases) {
    assert.throws(
      () => evaluated(text),
      (error) => {
        assert.ok(error instanceof HclError, text);
        assert.deepEqual([text, error.message, error.hint, error.range.start.column], [text, message, hint, column]);
        return true;
      },
    );
  }
});

test("all that is wrong in an expression is told", () => {
  assert.throws(
    () => evaluated('{a = foo, b = [bar, "${1 + "x"}-${null}"], c = upper([], 1), d = coalesce(foo, var.x)}'),
    (error) => {
      assert.ok(error instanceof HclError);
      assert.deepEqual(
        error.all.map(({ message }) => message),
        [
          'There is no variable "foo"',
          'There is no variable "bar"',
          'The right operand of "+" must be a number, not "x"',
          "A value in a text must not be null",
          '"upper" needs 1 argument, not 2',
          'There is no variable "foo"',
          'The object has no attribute "x"',
        ],
      );
      return true;
    },
  );
});

test("an expression is evaluated again when more is known", () => {
  const expression = '"${build.ID}-${var.region}"';
  assert.equal(evaluated(expression).content, UNKNOWN);
  const build = objectValue([["ID", stringValue("i-1")]]);
  const variables = new Map([...VARIABLES, ["build", build] as const]);
  assert.equal(printValue(evaluateText(expression, { variables })), "i-1-eu-west-1");
});
