import assert from "node:assert/strict";
import { test } from "node:test";
import { Secrets } from "./secrets.ts";
import { excerptAt, hideInExcerpt } from "./source-excerpt.ts";

/** The excerpt with the mark in brackets. */
function marked(
  text: string,
  [line, column]: readonly [number, number],
  { end, secrets = [] }: { end?: readonly [number, number]; secrets?: string[] } = {},
): string | undefined {
  const file = "t.json";
  const excerpt = excerptAt(text, {
    location: { file, line, column },
    end: end === undefined ? undefined : { file, line: end[0], column: end[1] },
    secrets: [new Secrets(secrets)],
  });
  if (excerpt === undefined) return undefined;
  return `${excerpt.text.slice(0, excerpt.start)}[${excerpt.text.slice(excerpt.start, excerpt.end)}]${excerpt.text.slice(excerpt.end)}`;
}

test("without an end, the word or quoted text at the place is marked", () => {
  assert.equal(marked('{\n  "typ": "x"\n}', [2, 3]), '  ["typ"]: "x"');
  assert.equal(marked('a = "b \\" c" # d', [1, 5]), 'a = ["b \\" c"] # d');
  assert.equal(marked("x = var.region", [1, 5]), "x = [var.region]");
  assert.equal(marked('"{{upper 1}}"', [1, 2]), '"[{]{upper 1}}"');
  assert.equal(marked('"abc', [1, 1]), '["abc]');
});

test("a place at the end of a line, or of an empty file, has a mark without a width", () => {
  assert.equal(marked('{"a":\r\n1', [1, 6]), '{"a":[]');
  assert.equal(marked("", [1, 1]), "[]");
  assert.equal(marked("a", [2, 1]), undefined);
});

test("an end on another line marks the rest of the line", () => {
  assert.equal(marked("a b c\nd", [1, 3], { end: [2, 2] }), "a [b c]");
  assert.equal(marked("a b c", [1, 3], { end: [1, 4] }), "a [b] c");
});

test("columns are characters, also outside of the first plane", () => {
  assert.equal(marked('"😀": x', [1, 6]), '"😀": [x]');
});

test("a secret is masked, and the mark stays at its place", () => {
  const secrets = ["hunter2!"];
  assert.equal(marked('"a": "hunter2!", "b": 1', [1, 18], { secrets }), '"a": "<sensitive>", ["b"]: 1');
  assert.equal(marked('"hunter2!x"', [1, 4], { secrets, end: [1, 6] }), '"[<sensitive>]x"');
  assert.equal(marked('"hunter2!x" + y', [1, 1], { secrets }), '["<sensitive>x"] + y');
  const later = hideInExcerpt({ text: "ab hunter2! cd", start: 12, end: 14 }, new Secrets(secrets));
  assert.deepEqual(later, { text: "ab <sensitive> cd", start: 15, end: 17 });
});

test("what a key with a secret's name is set to is masked, although nobody said that it is secret", () => {
  assert.equal(marked('"secret_key": "abc" "x"', [1, 21]), '"secret_key": "<sensitive>" ["x"]');
  assert.equal(marked('db_password = "abc', [1, 1]), '[db_password] = "<sensitive>');
  assert.equal(marked('"token": "{{user `t`}}"', [1, 1]), '["token"]: "{{user `t`}}"');
});

test("of a very long line, what is around the place is kept, and no half of a secret", () => {
  const secret = "s".repeat(500);
  const line = `${"a".repeat(1_000_000)}${secret}${"-".repeat(100)}"x"${"b".repeat(1_000_000)}`;
  const text = marked(line, [1, 1_000_601], { secrets: [secret] }) ?? "";
  assert.match(text, /^…a{89}<sensitive>-{100}\["x"\]b{197}…$/);
});
