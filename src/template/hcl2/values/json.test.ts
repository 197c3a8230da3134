import assert from "node:assert/strict";
import { test } from "node:test";
import { numberValue, objectValue, stringValue, tupleValue, unknownValue } from "./construct.ts";
import { fromJson, JsonTextError, toJson } from "./json.ts";
import { printValue } from "./print-value.ts";
import { DYNAMIC } from "./value.ts";

test("JSON is written as Go writes it: sorted, and safe within HTML", () => {
  const value = objectValue([
    ["b", tupleValue([numberValue(0.1), numberValue(10n ** 30n)])],
    ["<a>", stringValue('&\u2028\u2029\b\f\n\r\t\u0001"\\\\b\u007fé')],
  ]);
  const text = '"\\u0026\\u2028\\u2029\\u0008\\u000c\\n\\r\\t\\u0001\\"\\\\\\\\b\u007fé"';
  assert.equal(toJson(value), `{"\\u003ca\\u003e":${text},"b":[0.1,1000000000000000000000000000000]}`);
  assert.throws(() => toJson(tupleValue([unknownValue(DYNAMIC)])), TypeError);
});

test("JSON is read with exact numbers, lists as tuples", () => {
  const text = '{"a":[1,12345678901234567890.5,null,true,"x"],"b":{}}';
  const value = fromJson(text);
  assert.equal(toJson(value), text);
  assert.equal(value.type.kind, "object");
  assert.equal(toJson(fromJson("1e3")), "1000");
  assert.equal(toJson(fromJson('{"a":1,"b":{"c":1,"c":2},"a":"x"}')), '{"a":"x","b":{"c":2}}');
  assert.throws(
    () => fromJson('{"a": 1,}'),
    (error) => error instanceof JsonTextError && /line 1, column 9/.test(error.message),
  );
  assert.throws(() => fromJson(""), JsonTextError);
  assert.throws(() => fromJson("[".repeat(100_000)), JsonTextError);
});

test("printValue() prints what is not known, and letters that cannot be seen", () => {
  assert.equal(printValue(unknownValue(DYNAMIC)), "<unknown>");
  assert.equal(
    printValue(tupleValue([unknownValue(DYNAMIC), stringValue("\u200b\u{e0001}\u0007 \u00a0")])),
    '[\n  <unknown>,\n  "\\u200b\\U000e0001\\a \\u00a0",\n]',
  );
});
