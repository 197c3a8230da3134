import assert from "node:assert/strict";
import { test } from "node:test";
import { JsonDraft } from "./json-draft.ts";

function edited(text: string, edit: (draft: JsonDraft) => void): { text: string; changes: string[] } {
  const draft = new JsonDraft(text);
  edit(draft);
  return { text: draft.text, changes: draft.changes.map(({ path, what }) => `${path} ${what}`) };
}

test("JsonDraft finds the objects of a list, also those in lists in it", () => {
  const draft = new JsonDraft('{"a": [{"n": 1}, "x", [{"n": 2}, 3]], "b": {}}');
  assert.deepEqual(
    draft.objectsIn("a").map((object) => object.valueOf("n")),
    [1, 2],
  );
  assert.deepEqual(draft.objectsIn("b"), []);
  assert.deepEqual(draft.objectsIn("c"), []);
  assert.deepEqual(new JsonDraft("[1]").objectsIn("a"), []);
});

test("rename() keeps a key's place, its value and all that is around it", () => {
  const { text, changes } = edited('{"a": [{ "x":1,\n   "old" :  [ 1,2 ],"y":2}]}', (draft) => {
    for (const object of draft.objectsIn("a")) object.rename("old", "new");
  });
  assert.equal(text, '{"a": [{ "x":1,\n   "new" :  [ 1,2 ],"y":2}]}');
  assert.deepEqual(changes, ['a[0].old is now "new"']);
});

test("rename() to a key that is there gives that the value", () => {
  const { text } = edited('{"a": [{"old": 1, "x": 2, "new": 3}]}', (draft) => {
    for (const object of draft.objectsIn("a")) object.rename("old", "new");
  });
  assert.equal(text, '{"a": [{"x": 2, "new": 1}]}');
});

test("rename() of a key that is not there does nothing", () => {
  const { text, changes } = edited('{"a": [{}]}', (draft) => draft.objectsIn("a")[0]?.rename("old", "new", 1));
  assert.equal(text, '{"a": [{}]}');
  assert.deepEqual(changes, []);
});

for (const [where, before, after] of [
  ["the first key", '{"a": [{\n  "old": 1,\n  "x": 2\n}]}', '{"a": [{\n  "x": 2\n}]}'],
  ["a key between others", '{"a": [{\n  "w": 0,\n  "old": 1,\n  "x": 2\n}]}', '{"a": [{\n  "w": 0,\n  "x": 2\n}]}'],
  ["the last key", '{"a": [{\n  "w": 0,\n  "old": 1\n}]}', '{"a": [{\n  "w": 0\n}]}'],
  ["the only key", '{"a": [{ "old": 1 }]}', '{"a": [{}]}'],
] as const) {
  test(`remove() takes ${where} with its comma`, () => {
    const { text, changes } = edited(before, (draft) => draft.objectsIn("a")[0]?.remove("old", "it is old"));
    assert.equal(text, after);
    assert.deepEqual(changes, ["a[0].old is gone: it is old"]);
  });
}

test("texts() are those of an object and of the objects in it, each replaced where it stands", () => {
  const { text, changes } = edited('{"a": [{"x": "1", "y": 2, "t": {"z": "3", "l": ["4"]}}]}', (draft) => {
    for (const { text, path, replace } of draft.objectsIn("a")[0]?.texts() ?? []) replace(`${path}="${text}"`);
  });
  assert.equal(text, String.raw`{"a": [{"x": "x=\"1\"", "y": 2, "t": {"z": "t.z=\"3\"", "l": ["4"]}}]}`);
  assert.equal(changes.length, 2);
});
