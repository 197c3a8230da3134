import assert from "node:assert/strict";
import { test } from "node:test";
import {
  boolValue,
  listValue,
  mapValue,
  nullValue,
  numberValue,
  objectValue,
  setValue,
  stringValue,
  tupleValue,
  unknownValue,
} from "./construct.ts";
import { ConversionError } from "./conversion-error.ts";
import { convert } from "./convert.ts";
import { toJson } from "./json.ts";
import { typeName } from "./types.ts";
import { BOOL, DYNAMIC, type HclType, type HclValue, NUMBER, STRING } from "./value.ts";

const list = (element: HclType): HclType => ({ kind: "list", element });
const set = (element: HclType): HclType => ({ kind: "set", element });
const map = (element: HclType): HclType => ({ kind: "map", element });
const object = (attributes: Record<string, HclType>, optional?: Record<string, HclValue | undefined>): HclType => ({
  kind: "object",
  attributes: new Map(Object.entries(attributes)),
  ...(optional === undefined ? {} : { optional: new Map(Object.entries(optional)) }),
});
const text = stringValue;
const number = numberValue;

test("values become those of the wanted type", () => {
  const cases: readonly [HclValue, HclType, string, string][] = [
    [number(1.5), STRING, '"1.5"', "string"],
    [boolValue(true), STRING, '"true"', "string"],
    [text("-1e3"), NUMBER, "-1000", "number"],
    [text("1"), BOOL, "true", "bool"],
    [text("false"), BOOL, "false", "bool"],
    [tupleValue([number(1), text("a")]), list(STRING), '["1","a"]', "list of string"],
    [tupleValue([number(1), text("a"), nullValue(DYNAMIC)]), list(DYNAMIC), '["1","a",null]', "list of string"],
    [tupleValue([]), list(DYNAMIC), "[]", "list of any type"],
    [listValue(STRING, [text("b"), text("a"), text("b")]), set(STRING), '["a","b"]', "set of string"],
    [setValue(NUMBER, [number(10), number(9)]), list(STRING), '["9","10"]', "list of string"],
    [tupleValue([tupleValue([number(1)]), tupleValue([])]), list(list(NUMBER)), "[[1],[]]", "list of list of number"],
    [
      objectValue([
        ["b", number(1)],
        ["a", text("x")],
      ]),
      map(STRING),
      '{"a":"x","b":"1"}',
      "map of string",
    ],
    [
      objectValue([
        ["a", tupleValue([])],
        ["b", tupleValue([number(1)])],
      ]),
      map(DYNAMIC),
      '{"a":[],"b":[1]}',
      "map of list of number",
    ],
    [
      mapValue(STRING, [
        ["a", text("5")],
        ["c", text("x")],
      ]),
      object({ a: NUMBER }),
      '{"a":5}',
      "object",
    ],
    [
      objectValue([
        ["a", text("5")],
        ["c", text("x")],
      ]),
      object({ a: NUMBER }),
      '{"a":5}',
      "object",
    ],
    [tupleValue([text("1"), number(2)]), { kind: "tuple", elements: [NUMBER, STRING] }, '[1,"2"]', "tuple"],
    [text("x"), DYNAMIC, '"x"', "string"],
    [nullValue(DYNAMIC), list(STRING), "null", "list of string"],
  ];
  for (const [value, type, json, name] of cases) {
    const converted = convert(value, type);
    assert.equal(toJson(converted), json);
    assert.equal(typeName(converted.type), name);
  }
});

test("what an object leaves out is its default, also where it is null, and null without one", () => {
  const disk = object({ name: STRING, size: NUMBER, tags: map(STRING) }, { size: number(8), tags: undefined });
  const json = (value: HclValue) => toJson(convert(value, disk));
  assert.equal(json(objectValue([["name", text("a")]])), '{"name":"a","size":8,"tags":null}');
  const given = objectValue([
    ["name", text("a")],
    ["size", nullValue(DYNAMIC)],
    ["tags", objectValue([])],
  ]);
  assert.equal(json(given), '{"name":"a","size":8,"tags":{}}');
  const again = convert(convert(given, disk), disk);
  assert.equal(toJson(again), '{"name":"a","size":8,"tags":{}}');
  const nested = convert(tupleValue([objectValue([["name", text("a")]])]), list(disk));
  assert.equal(toJson(nested), '[{"name":"a","size":8,"tags":null}]');
});

test("what is not known becomes unknown of the type", () => {
  const converted = convert(unknownValue(DYNAMIC), list(STRING));
  assert.deepEqual(converted, unknownValue(list(STRING)));
  assert.deepEqual(
    convert(tupleValue([unknownValue(NUMBER)]), list(STRING)),
    listValue(STRING, [unknownValue(STRING)]),
  );
  assert.deepEqual(convert(tupleValue([unknownValue(NUMBER)]), set(STRING)), unknownValue(set(STRING)));
  assert.throws(() => convert(unknownValue(list(STRING)), NUMBER), /must be a number, not a list of string$/);
});

test("an error says where in the value, what is wanted and what is there", () => {
  const cases: readonly [HclValue, HclType, string, string?][] = [
    [text("abc"), NUMBER, 'must be a number, not "abc"'],
    [text("True"), BOOL, 'must be a bool, not "True"', 'Write "true" in lower case'],
    [number(1), BOOL, "must be a bool, not a number"],
    [tupleValue([]), STRING, "must be a string, not a tuple"],
    [text("a"), list(STRING), 'must be a list of string, not "a"'],
    [nullValue(STRING), list(STRING), "must be a list of string, not null"],
    [tupleValue([number(1), boolValue(true)]), list(DYNAMIC), "must have elements of one type, as it is to be a list"],
    [tupleValue([number(1)]), { kind: "tuple", elements: [NUMBER, NUMBER] }, "must have exactly 2 elements, not 1"],
    [
      objectValue([["disks", tupleValue([objectValue([["a b", text("x")]])])]]),
      object({ disks: list(object({ "a b": NUMBER })) }),
      '.disks[0]["a b"] must be a number, not "x"',
    ],
    [
      objectValue([["nmae", text("x")]]),
      object({ name: STRING, size: NUMBER }),
      'must have the attributes "name", "size"',
      '"nmae" is there: did you mean "name"?',
    ],
  ];
  for (const [value, type, message, hint] of cases) {
    assert.throws(
      () => convert(value, type),
      (error) => {
        assert.ok(error instanceof ConversionError);
        assert.equal(error.message, message);
        assert.equal(error.hint, hint);
        return true;
      },
    );
  }
});
