import assert from "node:assert/strict";
import { test } from "node:test";
import { HiddenText } from "./hidden-text.ts";

/** What is found of a text in others. */
function found(hidden: readonly string[], shown: string): string[] {
  const text = new HiddenText();
  for (const one of hidden) text.add(one);
  return text.find(shown).map(({ start, end }) => shown.slice(start, end));
}

test("HiddenText finds words of four characters or more, also as parts of others and cut off", () => {
  const hidden = ['{\n  a = "hunter2.eyJz" # it is\n  b = other-9secret\n}'];
  assert.deepEqual(found(hidden, '"hunter2"'), ["hunter2"]);
  assert.deepEqual(found(hidden, "x.9secret and it is eyJz"), ["x.9secret", "eyJz"]);
  assert.deepEqual(found(hidden, '"hunt…" and "hunt"'), ["hunt…"]);
  assert.deepEqual(found(hidden, "hunter secret a b"), []);
});

test("HiddenText finds the rest of a line that is its own, whatever is in it", () => {
  assert.deepEqual(found(["a b c d e\nf g"], "pw = a b c d e"), ["a b c d e"]);
  assert.deepEqual(found(["a b c d e\nf g"], "  a b c d e  "), ["a b c d e"]);
  assert.deepEqual(found(["a b c d e\nf g"], "f g"), []);
});

test("HiddenText finds no mask, and nothing at all of nothing", () => {
  assert.deepEqual(found(["<sensitive> sensitive"], '"<sensitive>"'), []);
  assert.deepEqual(found([], "hunter2"), []);
});
