import assert from "node:assert/strict";
import { test } from "node:test";
import { objectValue, tupleValue } from "./construct.ts";
import { unify } from "./unify.ts";
import { BOOL, DYNAMIC, type HclType, NUMBER, STRING } from "./value.ts";

const tuple = (...elements: readonly HclType[]): HclType => ({ kind: "tuple", elements });
const object = (attributes: Record<string, HclType>): HclType => ({
  kind: "object",
  attributes: new Map(Object.entries(attributes)),
});
const list = (element: HclType): HclType => ({ kind: "list", element });
const set = (element: HclType): HclType => ({ kind: "set", element });
const map = (element: HclType): HclType => ({ kind: "map", element });

test("unify() finds the type that all can become", () => {
  const cases: readonly [readonly HclType[], HclType | undefined][] = [
    [[], DYNAMIC],
    [[DYNAMIC, NUMBER], NUMBER],
    [[NUMBER, STRING], STRING],
    [[BOOL, NUMBER, STRING], STRING],
    [[BOOL, NUMBER], undefined],
    [[STRING, list(STRING)], undefined],
    [[tuple(NUMBER), tuple(STRING)], tuple(STRING)],
    [[tuple(NUMBER), tuple(STRING, NUMBER)], list(STRING)],
    [[tuple(NUMBER), tuple(BOOL)], undefined],
    [[tuple(), list(NUMBER)], list(NUMBER)],
    [[set(NUMBER), list(STRING)], list(STRING)],
    [[set(NUMBER), tuple(STRING)], set(STRING)],
    [[object({ a: NUMBER }), object({ a: STRING })], object({ a: STRING })],
    [[object({ a: NUMBER }), object({ b: STRING })], map(STRING)],
    [[object({ a: NUMBER }), object({ b: list(NUMBER) })], undefined],
    [[object({ a: NUMBER }), map(STRING)], map(STRING)],
    [[object({}), tuple()], undefined],
    [[object({ a: NUMBER }), object({}), DYNAMIC], DYNAMIC],
    [[objectValue([]).type, tupleValue([]).type], undefined],
  ];
  for (const [types, expected] of cases) assert.deepEqual(unify(types), expected);
});
