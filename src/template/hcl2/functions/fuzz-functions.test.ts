import assert from "node:assert/strict";
import { test } from "node:test";
import { FUNCTION_CONTEXT } from "../../../../test/helpers/hcl-expressions.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { HclError } from "../evaluate/hcl-error.ts";
import type { Expression } from "../syntax/syntax-tree.ts";
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
} from "../values/construct.ts";
import { BOOL, DYNAMIC, type HclValue, NUMBER, STRING } from "../values/value.ts";
import { createHclFunctions } from "./create-functions.ts";

const TEXTS = [
  "",
  "a",
  "a,b\n1,2",
  "é😀\r\n",
  "(a|b)*?",
  "[",
  "%5.2[2]d%s%",
  "YYYY-MM'",
  "10.0.0.0/8",
  "fd00::/8",
  "2006-01-02T15:04:05Z",
  "-1h30m",
  "a: [1, *x]",
  '{"a": [1]}',
  "SGVsbG8=",
  "UTF-16",
  "\ud800",
  "~/x",
  "**/{a,b}*",
  "\0",
];
const NUMBERS = [0, 1, -1, 2, 3.5, -0.5, 16, 63, 1e18, 1e30, 1e-30];

function valuesOf(): readonly HclValue[] {
  const texts = TEXTS.map(stringValue);
  const numbers = NUMBERS.map((number) => numberValue(number));
  const simple = [...texts, ...numbers, boolValue(true), nullValue(STRING), nullValue(DYNAMIC)];
  const list = listValue(STRING, [...texts.slice(0, 3), nullValue(STRING)]);
  return [
    ...simple,
    list,
    listValue(NUMBER, numbers.slice(0, 4)),
    listValue(BOOL, [boolValue(true), unknownValue(BOOL)]),
    listValue(DYNAMIC, []),
    setValue(STRING, texts.slice(0, 3)),
    mapValue(NUMBER, [["a", numberValue(1)]]),
    tupleValue([]),
    tupleValue([stringValue("a"), numberValue(1), list, unknownValue(DYNAMIC)]),
    objectValue([]),
    objectValue([
      ["a", unknownValue(STRING)],
      ["b c", list],
    ]),
    unknownValue(STRING),
    unknownValue(DYNAMIC),
    unknownValue({ kind: "list", element: NUMBER }),
  ];
}

/** Numbers from 0 to below 1, the same for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const CALLS_PER_FUNCTION = 120;
const SEED = 20_240_506;

test(`a call with any arguments has a value, or an error of its own (seed ${SEED})`, () => {
  const random = randomNumbers(SEED);
  const functions = createHclFunctions({ ...FUNCTION_CONTEXT, baseDirectory: "/nowhere" });
  const values = valuesOf();
  const pick = () => Math.floor(random() * values.length);
  const location = { file: "expression", line: 1, column: 1, offset: 0 };
  const range = { start: location, end: location };
  const variables = new Map(values.map((value, index) => [`v${index}`, value]));
  // A hash of this takes a second each, by its nature.
  const names = [...functions.keys()].filter((name) => name !== "bcrypt");
  for (const name of names) {
    const called = functions.get(name);
    const count = called !== undefined && "parameters" in called ? called.parameters.length : 1;
    const extra = called !== undefined && "parameters" in called && called.variadic === undefined ? 0 : 3;
    for (let call = 0; call < CALLS_PER_FUNCTION; call++) {
      const chosen = Array.from({ length: count + Math.floor(random() * (extra + 1)) }, pick);
      const expression: Expression = {
        kind: "call",
        name,
        nameRange: range,
        range,
        arguments: chosen.map((index) => ({ kind: "variable", name: `v${index}`, range })),
        expandsLast: false,
      };
      try {
        evaluate(expression, { variables, functions });
      } catch (error) {
        const given = chosen.map((index) => JSON.stringify(values[index]?.content, bigAsText)).join(", ");
        assert.ok(error instanceof HclError, `${name}(${given}): ${error instanceof Error ? error.stack : error}`);
        assert.doesNotMatch(error.message, /undefined|\[object|NaN/, `${name}(${given})`);
      }
    }
  }
});

function bigAsText(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? String(value) : value;
}
