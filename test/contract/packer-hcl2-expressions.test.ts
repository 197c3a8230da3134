// Packer itself is the judge of what HCL2 expressions mean.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: The templates of HCL2 look like JavaScript's.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { runToExit } from "../../src/linux/run-command.ts";
import { HclError } from "../../src/template/hcl2/evaluate/hcl-error.ts";
import { printValue } from "../../src/template/hcl2/values/print-value.ts";
import type { HclValue } from "../../src/template/hcl2/values/value.ts";
import { evaluateText } from "../helpers/hcl-expressions.ts";

const EXPRESSIONS: Readonly<Record<string, readonly string[]>> = {
  numbers: [
    ...[
      "0",
      "1",
      "-1",
      "1.5",
      "1e3",
      "1E-3",
      "0.1",
      "123456789012345678",
      "9223372036854775807",
      "9223372036854775808",
    ],
    ...[
      "-9223372036854775808",
      "12345678901234567890",
      "1e20",
      "1e21",
      "1e30",
      "0.0001",
      "0.00001",
      "1e-7",
      "123456.789",
    ],
    ...["1234567.5", "99999.5", "12345678901234567.25", "1e6 + 0.5", "1e400", "-1e400", "1e-400", "100.0", "007"],
  ],
  arithmetic: [
    ...[
      "1 + 2 * 3",
      "(1 + 2) * 3",
      "7 / 2",
      "1 / 3",
      "2 / 3",
      "0.1 + 0.2",
      "0.1 + 0.2 == 0.3",
      "0.3 / 0.1",
      "1 / 3 * 3 == 1",
    ],
    ...[
      "10 - 4 - 3",
      "100 / 10 / 5",
      "5 % 3",
      "-5 % 3",
      "5 % -3",
      "-5 % -3",
      "5.5 % 2",

      "- 5",
      "-(-5)",
      "0 * -1",
    ],
    ...['"5" + 1', '"1p3" * 1', '"+5" * 1', '".5" * 1', '"5." * 1', '"1e3" * 1', '"-0" * 1', '-"5"', "1 - -1"],
  ],
  comparison: [
    ...[
      "1 < 2",
      "2 <= 2",
      "2 > 3",
      "3 >= 3",
      '1 <= "2"',
      "1 == 1.0",
      '1 == "1"',
      'true == "true"',
      "null == null",
      "null == 1",
    ],
    ...[
      "1 != 1",
      '"a" == "a"',
      '"a" != "b"',
      "[1] == [1]",
      '[1] == ["1"]',
      "[] == {}",
      "{} == {}",
      "{a = 1} == {a = 1}",
      "{a = 1} == {b = 1}",
    ],
    ...["[1, 2] == [1]", "{a = [1, {b = 2}]} == {a = [1, {b = 2}]}", '"e\u0301" == "é"', "true == false"],
  ],
  logic: [
    ...[
      "true && false",
      "true && true",
      "false || true",
      '"true" && true',
      '"1" || false',
      "!true",
      '!"false"',
      "true || false && false",
    ],
    ...["1 < 2 && 2 < 3", "!(1 == 2)", "true == !false"],
  ],
  conditionals: [
    ...[
      "true ? 1 : 2",
      'true ? 1 : "a"',
      '"true" ? 1 : 2',
      '"0" ? 1 : 2',
      'true ? [1] : ["a", "b"]',
      'true ? {a = 1} : {b = "x"}',
    ],
    ...[
      "true ? null : 1",
      "false ? null : 1",
      "true ? null : null",
      "true ? 1 : foo",
      "false ? foo : 1",
      'true ? {a = 1} : {a = "x"}',
    ],
    ...[
      'false ? "a" : true',
      "true ? 1.5 : true ? 2 : 3",
      'true ? [1, "a"] : ["b", 2]',
      "true ? [] : [1]",
      "true ? {} : {a = 1}",
      '[true ? "1" : 1]',
    ],
    ...[
      "true ? [null] : [1]",
      "true ? [{a = 1}] : [{b = 2}]",
      'true ? [[1]] : [["a", "b"]]',
      "1 == 1 ? 1 == 2 ? 1 : 2 : 3",
    ],
  ],
  templates: [
    ...[
      '""',
      '"a"',
      '"${1}"',
      '"a${1}b"',
      '"${true}"',
      '"x${true}"',
      '"${[1]}"',
      '"${"${1}"}"',
      '"a${1.50}"',
      '"n${1e25}"',
      '"t${1 / 3}"',
    ],
    ...[
      '"t${2 / 3}"',
      '"t${1 / 7}"',
      '"t${-1 / 3}"',
      '"t${1e-30 / 3}"',
      '"t${1e40 / 7}"',
      '"t${10 / 3 * 1e160}"',
      '"n${0.1 + 0.2}"',
      '"n${1e400 + 1}"',
      '"n${12345678901234567890}"',
    ],
    ...[
      '"$${a}"',
      '"%%{a}"',
      '"$"',
      '"a$"',
      '"\\u00e9\\n\\t\\"\\\\"',
      '"${"a"}${"b"}"',
      '"${ ~1~ }"'.replaceAll("~", ""),
      '" a ${~ 1 ~} b "',
    ],
    ...[
      '"%{ if true }a%{ endif }"',
      '"%{ if false }a%{ else }b%{ endif }"',
      '"x%{ if "true" }a${1}%{ endif }y"',
      '"%{ for x in [1, 2] }${x},%{ endfor }"',
    ],
    ...[
      '"%{ for k, v in {b = 1, a = 2} }${k}${v} %{ endfor }"',
      '"%{ for x in [] }a%{ endfor }"',
      '"%{ for i, x in ["a", "b"] ~} ${i}=${x} %{~ endfor }"',
    ],
    ...[
      '"%{ if true }%{ if false }a%{ else }b%{ endif }c%{ endif }"',
      '"e\u0301"',
      '"😀${"😀"}"',
      '"%{ for x in [[1, 2], [3]] }%{ for y in x }${y}%{ endfor };%{ endfor }"',
    ],
  ],
  collections: [
    ...[
      "[]",
      "{}",
      '[1, "a", null, true, [1.5], {a = 1}]',
      "[1, 2,]",
      "{a = 1, b = 2}",
      "{a : 1, b : 2}",
      '{"a b" = 1}',
      "{(1 + 1) = 2}",
      "{1 = 2}",
      "{true = 1}",
    ],
    ...[
      "{a = 1, a = 2}",
      '{"${"a"}b" = 1}',
      "{a = null}",
      "{b = 1, a = {d = 1, c = []}}",
      "[[[]]]",
      '{"é" = "é", "😀" = 1, "\uffee" = 2}',
      '["a\\n\\"b\\\\", "\\u0001\\u007f\\u00a0\\u200b"]',
    ],
  ],
  traversals: [
    ...[
      "[1, 2][0]",
      "[1, 2][1]",
      '["a"]["0"]',
      "[1, 2].1",
      "[[1, 2], [3]][0][1]",
      "{a = {b = 1}}.a.b",
      '{a = 1}["a"]',
      '{"1" = 5}[1]',
      "{a = [1, 2]}.a[1]",
    ],
    ...[
      "[{a = 1}, {a = 2}][*].a",
      "[{a = 1}, {a = 2}].*.a",
      "[[1], [2]][*][0]",
      '"a"[*]',
      "{a = 1}[*].a",
      "[][*].a",
      "{a = [{b = [1]}, {b = [2]}]}.a[*].b[0]",
      "{true = 1}[true]",
    ],
    ...[
      "[for x in [{a = 1}] : x.a][0]",
      "(true ? [{a = 1}] : [{a = 2}, {a = 3}])[*].a",
      "[1, 2][1.0]",
      "[{a = [1, 2]}].*.a[0]",
      "[{a = [1, 2]}][*].a[0]",
    ],
  ],
  "for expressions": [
    ...[
      "[for x in [1, 2] : x * 2]",
      "[for i, x in [5, 6] : i + x]",
      '[for k, v in {b = 1, a = 2} : "${k}${v}"]',
      "[for x in [1, 2, 3] : x if x > 1]",
      "[for x in [] : x]",
    ],
    ...[
      '{for x in ["a", "b"] : x => 1}',
      "{for k, v in {a = 1} : v => k}",
      '{for x in ["a", "a"] : x => 1...}',
      '{for i, x in ["a", "b", "a"] : x => i...}',
      "{for x in [1, 2] : x => x if x == 2}",
    ],
    ...[
      "[for k, k in [7] : k]",
      "[for x in [[1, 2], [3]] : [for y in x : y + 1]]",
      '[for x in ["a"] : {v = x}]',
      "{for x in [true] : x => x}",
      '[for x in [1] : x if "true"]',
      "[for v in {b = 1, a = 2} : v]",
    ],
    ...[
      '[for s in setunion(["b", "a"], ["c", "a"]) : s]',
      '{for k, v in setunion(["b"], ["a"]) : k => v}',
      '[for k in {"B" = 1, "a" = 2, "é" = 3, "10" = 4, "9" = 5} : k]',
      '{for x in ["a"] : x => [for y in [x] : "${x}${y}"]}',
    ],
  ],
  calls: [
    ...[
      'upper("a")',
      "upper(5)",
      "upper(true)",
      "max(1, 2)",
      'max("3", 2)',
      "max([1, 2]...)",
      "max(0, [1, 2]...)",
      "max(setunion([4], [3])...)",
      'setunion(["b"], ["a"])',
    ],
    ...[
      'setunion([10, 9, 1.5], ["9"])',
      "setunion([10, 9, 1.5])",

      'setunion(["B", "a", "é", "A"])',
      "upper(true ? 1 : 2)",
    ],
  ],
};

const REFUSED: readonly string[] = [
  ...[
    '"1_000" * 1',
    '" 5" * 1',
    '"0x10" * 1',
    '"" * 1',
    '"a" + 1',
    "null + 1",
    "1 + null",
    "null < 1",
    '"a" < "b"',
    "0 / 0",
    "-true",
    '-"a"',
    "!1",
    '!"yes"',
    "!null",
    "[1] + 1",
  ],
  ...[
    'true && "x"',
    "true && 1",
    "null && true",
    "null || false",
    '"TRUE" && true',
    "null ? 1 : 2",
    '"x" ? 1 : 2',
    "1 ? 1 : 2",
    "true ? true : 1",
    "true ? [] : {}",
    "true ? {a = 1} : {b = [1]}",
    "true ? [1] : 1",
    "true ? foo : 1",
  ],
  ...[
    '"a${null}"',
    '"a${[1]}"',
    '"a${{}}"',
    '"%{ if null }%{ endif }"',
    '"%{ if 1 }%{ endif }"',
    '"%{ for x in null }%{ endfor }"',
    '"%{ for x in "a" }%{ endfor }"',
    '"%{ for x in [null] }${x}%{ endfor }"',
    '"%{ for x in [[]] }${x}%{ endfor }"',
  ],
  ...[
    "foo",
    "foo.bar",
    "{a = 1}.b",
    '{a = 1}["b"]',
    "[1][1]",
    "[1][-1]",
    "[1][0.5]",
    '[1]["a"]',
    "[1][null]",
    "[1].a",
    '"a".b',
    '"a"[0]',
    "1[0]",
    "null.a",
    "null[0]",
    "{a = 1}[null]",
    "{a = 1}[[]]",
    'setunion(["a"])[0]',
    'setunion(["a"]).a',
    "[1].1",
  ],
  ...[
    '[for x in "abc" : x]',
    "[for x in null : x]",
    "[for x in 5 : x]",
    '{for x in ["a", "a"] : x => 1}',
    "{for x in [null] : x => 1}",
    "{for x in [[]] : x => 1}",
    "[for x in [1] : x if null]",
    "[for x in [1] : x if 5]",
    "[for x in [1] : y]",
    "{(null) = 1}",
    "{([]) = 1}",
  ],
  ...[
    'uper("a")',
    "upper()",
    'upper("a", "b")',
    "upper([])",
    "upper(null)",
    "max(1, null)",
    'max("a")',
    "max(null...)",
    "max(1...)",
    "max({a = 1}...)",
    "max()",
    "[for x in [1] : x][*].a",
    "[{a = 1}, {b = 1}][*].a",
  ],
];

/** Where we decided otherwise, and why. */
const DIFFERENCES: readonly {
  expression: string;
  packer: string | undefined;
  ours: string | undefined;
  why: string;
}[] = [
  { expression: "1 / 0", packer: "+Inf", ours: undefined, why: "nothing can be done with an infinite size" },
  { expression: "5 % 0", packer: "5", ours: undefined, why: "no remainder is 5" },
  { expression: "1e30 % 7", packer: "0", ours: "1", why: "Packer rounds to 64 bits on the way" },
  { expression: "0.3 % 0.1", packer: "-1.0842021724855045e-20", ours: "0", why: "as above" },
  { expression: '"Inf" * 1', packer: "+Inf", ours: undefined, why: "as above" },
  {
    expression: "false && foo",
    packer: undefined,
    ours: "false",
    why: "newer HCL does not look at what decides nothing",
  },
  { expression: "true || foo", packer: undefined, ours: "true", why: "as above" },
  { expression: 'false && "x"', packer: undefined, ours: "false", why: "as above" },
  { expression: "null[*]", packer: "<unknown>", ours: "[]", why: "the specification, and newer HCL" },
  { expression: "[null] == [null]", packer: "<unknown>", ours: "true", why: "newer cty" },
  { expression: '"x${-0}"', packer: "x-0", ours: "x0", why: "there is one zero" },
];

function ours(expression: string): HclValue | undefined {
  try {
    return evaluateText(expression);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    return undefined;
  }
}

let directory: string | undefined;

before(async () => {
  if (await isInstalled()) directory = await mkdtemp(join(tmpdir(), "amibake-packer-"));
});

after(async () => {
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

/** What `packer console` prints: of a refused expression the empty text. */
async function packer(expression: string): Promise<string> {
  const { stdout } = await runToExit(["packer", "console", "--config-type=hcl2"], {
    cwd: directory ?? "/",
    input: expression,
    env: { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: directory ?? "/", CHECKPOINT_DISABLE: "1" },
  });
  return stdout.toString().replace(/\n$/, "");
}

async function isInstalled(): Promise<boolean> {
  try {
    return (await packer("1")) === "1";
  } catch {
    return false;
  }
}

function skipWithoutPacker(context: TestContext): boolean {
  if (directory === undefined) context.skip("packer is not installed: apt-get install packer");
  return directory === undefined;
}

// All in one list, since each start of Packer takes half a second.
for (const [subject, expressions] of Object.entries(EXPRESSIONS)) {
  test(`${subject} have the value that Packer gives them`, async (context) => {
    if (skipWithoutPacker(context)) return;
    const list = `[${expressions.join(", ")}]`;
    const value = ours(list);
    assert.ok(value !== undefined, "one of them has no value");
    assert.equal(printValue(value), await packer(list));
  });
}

test("what Packer refuses has no value", async (context) => {
  if (skipWithoutPacker(context)) return;
  assert.deepEqual(
    REFUSED.filter((expression) => ours(expression) !== undefined),
    [],
  );
  const answers = await packer(`[${REFUSED.map((expression) => `can(${expression})`).join(", ")}]`);
  const accepted = REFUSED.filter((_, index) => answers.split("\n")[index + 1]?.trim() !== "false,");
  assert.deepEqual(accepted, []);
});

for (const { expression, packer: theirs, ours: own, why } of DIFFERENCES) {
  test(`${expression} is not what it is in Packer 1.6.6: ${why}`, async (context) => {
    const value = ours(expression);
    assert.equal(value === undefined ? undefined : printValue(value), own);
    if (skipWithoutPacker(context)) return;
    if (theirs === undefined) assert.equal(await packer(`can(${expression})`), "false");
    else assert.equal(await packer(expression), theirs);
  });
}
