import assert from "node:assert/strict";
import { test } from "node:test";
import { createColours } from "./colours.ts";
import { formatExcerpt } from "./format-excerpt.ts";

function lines(text: string, mark: string, line = 7): string[] {
  const start = text.indexOf(mark);
  return formatExcerpt({ text, start, end: start + mark.length }, line, createColours(false));
}

test("carets stand under what is marked", () => {
  assert.deepEqual(lines('  "typ": 1,', '"typ"', 12), ['12 |   "typ": 1,', "   |   ^^^^^"]);
  assert.deepEqual(lines("", ""), ["7 |", "  | ^"]);
});

test("a tab is four columns, before and in the mark", () => {
  assert.deepEqual(lines("\t\ta\tb = 1", "a\tb"), ["7 |         a    b = 1", "  |         ^^^^^^"]);
});

test("wide characters are two columns, combining ones none", () => {
  assert.deepEqual(lines('"日本😀": é x', "x"), ['7 | "日本😀": é x', `  | ${" ".repeat(12)}^`]);
  assert.deepEqual(lines("ok 日本", "日本"), ["7 | ok 日本", "  |    ^^^^"]);
  // A family of four people is one picture.
  assert.deepEqual(lines("👨‍👩‍👧‍👦 y", "y"), ["7 | 👨‍👩‍👧‍👦 y", "  |    ^"]);
});

test("a long line is cut around the place", () => {
  const before = "a".repeat(200);
  const after = "b".repeat(200);
  const [source = "", carets = ""] = lines(`${before}XYZ${after}`, "XYZ");
  assert.equal(source, `7 | …${"a".repeat(23)}XYZ${"b".repeat(38)}…`);
  assert.equal(carets, `  | ${" ".repeat(24)}^^^`);
  assert.deepEqual(lines(`${before}XYZ`, "XYZ"), [`7 | …${"a".repeat(62)}XYZ`, `  | ${" ".repeat(63)}^^^`]);
  assert.deepEqual(lines(`X${after}`, "X"), [`7 | X${"b".repeat(64)}…`, "  | ^"]);
});

test("a mark that is longer than the line may be is cut too", () => {
  const [source = "", carets = ""] = lines(`${"a".repeat(50)}${"X".repeat(100)}c`, "X".repeat(100));
  assert.equal(source, `7 | …${"a".repeat(23)}${"X".repeat(41)}…`);
  assert.equal(carets, `  | ${" ".repeat(24)}${"^".repeat(42)}`);
});
