// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are HCL's templates, not ours
// One problem never hides another one that has nothing to do with it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BUILD, hclProblems, SOURCE } from "../../../../test/helpers/hcl-template.ts";

/** Expressions of a local, with what is said of each; columns are those of the expression, from 1. */
const EXPRESSIONS: readonly (readonly [expression: string, ...problems: string[]])[] = [
  ['uper("a") + foo(1)', '1 There is no function "uper"', '13 There is no function "foo"'],
  [
    "foo(1) == bar(2) != baz(3)",
    ...[1, 11, 21].map((column, n) => `${column} There is no function "${["foo", "bar", "baz"][n]}"`),
  ],
  [
    '"a" - "b"',
    '1 The left operand of "-" must be a number, not "a"',
    '7 The right operand of "-" must be a number, not "b"',
  ],
  ["nope1 && nope2", '1 Unknown name "nope1"', '10 Unknown name "nope2"'],
  ["upper(nope1, nope2)", '1 "upper" needs 1 argument, not 2', '7 Unknown name "nope1"', '14 Unknown name "nope2"'],
  ["upper(nope1, nope2...)", '7 Unknown name "nope1"', '14 Unknown name "nope2"'],
  ["foo(nope1)", '1 There is no function "foo"', '5 Unknown name "nope1"'],
  // Of "try", an argument may have no value.
  ["tyr(nope1, 1)", '1 There is no function "tyr"'],
  ["{ x = nope1, (nope2) = nope3 }", '7 Unknown name "nope1"', '15 Unknown name "nope2"', '24 Unknown name "nope3"'],
  ["[{ (nope1) = nope2 }]", '5 Unknown name "nope1"', '14 Unknown name "nope2"'],
];

for (const [expression, ...expected] of EXPRESSIONS) {
  test(`every problem of an expression is told: ${expression}`, async () => {
    const problems = await hclProblems(`locals { a = ${expression} }\n${SOURCE}${BUILD}`);
    const shown = problems.map((problem) => problem.replace(/ \| .*/, "").replace(/: there are .*/, ""));
    const placed = expected.map((text) => text.replace(/^\d+/, (column) => `1:${Number(column) + 13}`));
    assert.deepEqual(shown, placed);
  });
}

test("every attribute of a type is judged", async () => {
  const type =
    'variable "a" {\n  type = object({ a = optional(number, "x"), b = optional(), c = sting })\n  default = null\n}\n';
  const problems = await hclProblems(type + SOURCE + BUILD);
  assert.deepEqual(problems, [
    '2:40 The default must be a number, not "x"',
    '2:50 "optional" needs a type, and may have a default | Write optional(string) or optional(number, 8)',
    '2:66 There is no type "sting" | Did you mean "string"?',
  ]);
});

test("a key that is wrong hides no value of an object", async () => {
  const tags = '  tags = { a = [1], "b${var.nope}" = nope }\n';
  const problems = await hclProblems(SOURCE.replace("}", `${tags}}`) + BUILD);
  assert.deepEqual(
    problems.map((problem) => problem.replace(/ \| .*/, "").replace(/: there are .*/, "")),
    ['4:16 "tags.a" must be a string, not a list', '4:29 There is no "var.nope"', '4:38 Unknown name "nope"'],
  );
});

test("a build whose only source is misspelt is told of its provisioners and post-processors", async () => {
  const build = `build {
  sources = ["source.amazon-chroot.wep"]
  provisioner "shel" {}
  provisioner "shell" { inline = ["\${source.name}"] }
  error-cleanup-provisioner "fle" {}
  post-processor "manifst" {}
}
`;
  assert.deepEqual(await hclProblems(build + SOURCE), [
    '2:14 There is no source "source.amazon-chroot.wep" | Did you mean "source.amazon-chroot.web"?',
    '3:15 Unknown provisioner "shel" | Did you mean "shell"?',
    '5:29 Unknown provisioner "fle" | Did you mean "file"?',
    '6:18 Unknown post-processor "manifst" | Did you mean "manifest"?',
  ]);
});

test("an attribute that is set twice is one problem among others", async () => {
  const locals = "locals {\n  a = nope\n  a = 1\n}\n";
  const [first, second, ...others] = await hclProblems(locals + SOURCE + BUILD);
  assert.match(first ?? "", /^2:7 Unknown name "nope"/);
  assert.equal(second, '3:3 "a" is set twice | It is set in line 2 already: remove one');
  assert.deepEqual(others, []);
});

test("a key that is there twice in the JSON form is one problem among others", async () => {
  const source = { "amazon-chroot": { web: { ami_name: "web", source_ami: "ami-1", nokey: 1 } } };
  const text = JSON.stringify({ source, build: { sources: ["amazon-chroot.web"] } });
  const problems = await hclProblems({ "t.pkr.json": text.replace('"nokey"', '"ami_name":"x","nokey"') });
  assert.deepEqual(problems, [
    't.pkr.json:1:74 The key "ami_name" is there twice',
    't.pkr.json:1:89 Unknown key "nokey" of the builder "amazon-chroot"',
  ]);
});

test("that the work of a template is used up is told once", async () => {
  const work = "[for x in range(1000) : [for y in range(1000) : x]]";
  const locals = `locals {\n  a = ${work}\n  b = ${work}\n  c = local.b\n}\n`;
  const problems = await hclProblems(locals + SOURCE + BUILD);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? "", /take too much work to evaluate$/);
});

test("a source that would start from nothing is not told to name an image", async () => {
  for (const [value, count] of [
    ["true", 1],
    ["false", 2],
  ] as const) {
    const problems = await hclProblems(SOURCE.replace('source_ami = "ami-1"', `from_scratch = ${value}`) + BUILD);
    assert.equal(problems.length, count, problems.join("\n"));
    assert.match(problems.at(-1) ?? "", /"from_scratch" of the builder "amazon-chroot" is not supported yet$/);
  }
});
