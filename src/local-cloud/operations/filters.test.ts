import assert from "node:assert/strict";
import { test } from "node:test";
import { wildcardPattern } from "./filters.ts";

for (const [pattern, matching, others] of [
  ["web", ["web"], ["web1", "Web", ""]],
  ["web*", ["web", "web-1", "web\n2"], ["aweb"]],
  ["w?b", ["web", "w.b"], ["wb", "weeb"]],
  ["a.c", ["a.c"], ["abc"]],
  ["\\*amazon\\?\\\\", ["*amazon?\\"], ["xamazony\\"]],
  ["(a|b)[c]{2}^$+", ["(a|b)[c]{2}^$+"], ["acc"]],
  ["*", ["", "anything"], []],
  ["/dev/sd?", ["/dev/sdf"], ["/dev/xvdf"]],
] as const) {
  test(`The filter value ${pattern} matches ${JSON.stringify(matching)}`, () => {
    for (const value of matching) assert.match(value, wildcardPattern(pattern));
    for (const value of others) assert.doesNotMatch(value, wildcardPattern(pattern));
  });
}
