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
import { entriesOf, isWhollyKnown, itemsOf, textOf } from "./contents.ts";
import { equals } from "./equals.ts";
import { isSameType } from "./types.ts";
import { BOOL, DYNAMIC, type HclValue, NUMBER, STRING } from "./value.ts";
import { sizeOf, ValueLimitError } from "./value-size.ts";

test("texts and keys are in composed form", () => {
  assert.equal(stringValue("e\u0301").content, "\u00e9");
  assert.deepEqual([...entriesOf(objectValue([["e\u0301", boolValue(true)]])).keys()], ["\u00e9"]);
});

test("a set is sorted, and has each element once", () => {
  const texts = ["b", "a", "B", "😀", "ﬀ", "a"].map(stringValue);
  assert.deepEqual(itemsOf(setValue(STRING, texts)).map(textOf), ["B", "a", "b", "ﬀ", "😀"]);
  const numbers = [10, 9, 1.5, 10].map(numberValue);
  assert.deepEqual(itemsOf(setValue(NUMBER, numbers)), [1.5, 9, 10].map(numberValue));
  const tuples = [[2], [1, 2], [1], [2]].map((items) => listValue(NUMBER, items.map(numberValue)));
  assert.equal(itemsOf(setValue({ kind: "list", element: NUMBER }, tuples)).length, 3);
});

test("a set is unknown if an element is", () => {
  const value = setValue(STRING, [stringValue("a"), unknownValue(STRING)]);
  assert.deepEqual(value, unknownValue({ kind: "set", element: STRING }));
});

test("entries are sorted by key, of one key the last counts", () => {
  const entries = [
    ["b", 1],
    ["a", 2],
    ["b", 3],
  ] as const;
  const value = mapValue(
    NUMBER,
    entries.map(([key, number]) => [key, numberValue(number)]),
  );
  assert.deepEqual(
    [...entriesOf(value)],
    [
      ["a", numberValue(2)],
      ["b", numberValue(3)],
    ],
  );
});

test("isWhollyKnown() looks into lists and objects", () => {
  assert.equal(isWhollyKnown(tupleValue([objectValue([["a", nullValue(DYNAMIC)]])])), true);
  assert.equal(isWhollyKnown(tupleValue([objectValue([["a", unknownValue(DYNAMIC)]])])), false);
});

test("values of different types are not equal, null is null, and what is unknown leaves it open", () => {
  const known: readonly [HclValue, HclValue, boolean][] = [
    [numberValue(1), stringValue("1"), false],
    [numberValue(0.5), numberValue({ numerator: 1n, denominator: 2n }), true],
    [nullValue(STRING), nullValue(NUMBER), true],
    [nullValue(STRING), stringValue(""), false],
    [tupleValue([numberValue(1)]), listValue(NUMBER, [numberValue(1)]), false],
    [listValue(NUMBER, []), listValue(STRING, []), false],
    [tupleValue([unknownValue(DYNAMIC), numberValue(1)]), tupleValue([stringValue("a"), numberValue(2)]), false],
    [tupleValue([]), tupleValue([unknownValue(DYNAMIC)]), false],
    [unknownValue(NUMBER), stringValue("a"), false],
    [objectValue([["a", nullValue(DYNAMIC)]]), objectValue([["b", nullValue(DYNAMIC)]]), false],
  ];
  for (const [a, b, expected] of known) assert.deepEqual(equals(a, b), boolValue(expected));
  const open: readonly [HclValue, HclValue][] = [
    [unknownValue(DYNAMIC), numberValue(1)],
    [unknownValue(STRING), nullValue(DYNAMIC)],
    [objectValue([["a", unknownValue(STRING)]]), objectValue([["a", stringValue("x")]])],
  ];
  for (const [a, b] of open) assert.deepEqual(equals(a, b), unknownValue(BOOL));
});

test("values that double with each level are refused before anybody walks through them", () => {
  let value = stringValue("x");
  assert.throws(() => {
    for (let level = 0; level < 60; level++) value = tupleValue([value, value]);
  }, /^ValueLimitError: A value is larger than 64 MiB/);
  assert.ok(sizeOf(value) <= 64 * 1024 ** 2);
  assert.equal(isSameType(value.type, value.type), true);
});

test("values that are nested too deeply are refused", () => {
  let value = stringValue("x");
  assert.throws(() => {
    for (let level = 0; level < 1000; level++) value = objectValue([["a", value]]);
  }, ValueLimitError);
});
