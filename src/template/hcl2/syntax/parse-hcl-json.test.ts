// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are HCL's templates, not ours
import assert from "node:assert/strict";
import { test } from "node:test";
import { ProblemList } from "../../../base/problems.ts";
import { decideBlocks } from "./decide-blocks.ts";
import { VARIABLE_FILE_BLOCKS } from "./packer-blocks.ts";
import { parseHclJson } from "./parse-hcl-json.ts";
import type { Body } from "./syntax-tree.ts";

function bodyOf(value: unknown): Body {
  const problems = new ProblemList();
  const body = parseHclJson("web.pkr.json", JSON.stringify(value), problems);
  assert.ok(body !== undefined, JSON.stringify(problems.sorted([])));
  return body;
}

function problemsOf(text: string): string[] {
  const problems = new ProblemList();
  assert.equal(parseHclJson("web.pkr.json", text, problems), undefined);
  return problems.sorted([]).map(({ location, message }) => `${location?.line}:${location?.column} ${message}`);
}

function headers(body: Body | undefined): string[] {
  return (body?.blocks ?? []).map(({ type, labels }) => [type, ...labels.map(({ text }) => text)].join(" "));
}

test("labels are keys, and each level may be a list", () => {
  const body = bodyOf({
    "//": "a comment",
    source: [{ "amazon-chroot": { web: {}, db: {} } }, { "amazon-direct": [{ web: {} }] }],
    build: {
      name: "x",
      provisioner: [{ shell: {} }, { file: {} }, { shell: [{}, {}] }],
      "post-processors": [{ "post-processor": { manifest: {} } }, { "post-processor": [{ a: {} }, { b: {} }] }],
    },
    locals: [{ a: 1 }, { b: 2 }],
    variable: { a: { "//": "x", validation: [{ condition: true }, { condition: false }] }, b: {} },
  });
  assert.deepEqual(headers(body), [
    ...["source amazon-chroot web", "source amazon-chroot db", "source amazon-direct web"],
    ...["build", "locals", "locals", "variable a", "variable b"],
  ]);
  const build = body.blocks[3]?.body;
  assert.deepEqual(headers(build), [
    ...["provisioner shell", "provisioner file", "provisioner shell", "provisioner shell"],
    ...["post-processors", "post-processors"],
  ]);
  assert.deepEqual(headers(build?.blocks[5]?.body), ["post-processor a", "post-processor b"]);
  assert.deepEqual([...(build?.attributes.keys() ?? [])], ["name"]);
  assert.deepEqual(headers(body.blocks[6]?.body), ["validation", "validation"]);
  assert.deepEqual([...(body.blocks[6]?.body.attributes.keys() ?? [])], []);
});

test("the body of a component is undecided, until its own schema says what is a block", () => {
  const source = bodyOf({ source: { a: { b: { ami_name: "x", tag: [{ key: "k" }, { key: "l" }] } } } }).blocks[0]?.body;
  assert.ok(source !== undefined);
  assert.deepEqual([...source.attributes.keys()], ["ami_name", "tag"]);
  const decided = decideBlocks(source, new Map([["tag", { labelCount: 0, blocks: new Map() }]]), new ProblemList());
  assert.deepEqual([...decided.attributes.keys()], ["ami_name"]);
  assert.deepEqual(headers(decided), ["tag", "tag"]);
  assert.equal(decideBlocks(decided, new Map([["ami_name", { labelCount: 0 }]]), new ProblemList()), decided);
});

test("a string is a template, and other values are themselves", () => {
  const body = parseHclJson(
    "web.pkrvars.json",
    '{"a": "x-${b.c}", "d": [1.50, true, null], "e": {"${f}": "", "//": 1}}',
    new ProblemList(),
    VARIABLE_FILE_BLOCKS,
  );
  const a = body?.attributes.get("a")?.value;
  assert.ok(a?.kind === "template" && a.parts[1]?.kind === "interpolation");
  assert.deepEqual([a.parts[1].expression.range.start.column, a.parts[1].expression.range.end.column], [12, 15]);
  const d = body?.attributes.get("d")?.value;
  assert.ok(d?.kind === "tuple");
  assert.deepEqual(
    d.items.map((item) => item.kind === "literal" && item.value),
    [{ number: "1.50" }, true, null],
  );
  const e = body?.attributes.get("e")?.value;
  assert.ok(e?.kind === "object" && e.items.length === 2);
  const key = e.items[0]?.key;
  assert.ok(key?.kind === "template" && key.parts[0]?.kind === "interpolation");
});

test("a mistake in a string is told at its own place, behind escapes too", () => {
  assert.deepEqual(problemsOf('{"locals": {"a": "\\u0041\\n${b..c}",\n"d": "%{ iff e }"}}'), [
    '1:31 A name is missing behind this ".", before "."',
    '2:10 A "%{" begins one of "if", "else", "endif", "for", "endfor", not "iff"',
  ]);
});

test("what cannot be a block is told", () => {
  assert.deepEqual(problemsOf('{"source": {"a": 1}, "build": [2], "variable": "b"}'), [
    '1:18 The block "source" must be an object, with its label as key, not 1',
    '1:32 The block "build" must be an object, not 2',
    '1:48 The block "variable" must be an object, with its label as key, not "b"',
  ]);
  assert.deepEqual(problemsOf("5"), ["1:1 The file must be an object, not 5"]);
  assert.deepEqual(problemsOf("[{}, []]"), ["1:6 What is in the list of the file must be an object, not a list"]);
});
