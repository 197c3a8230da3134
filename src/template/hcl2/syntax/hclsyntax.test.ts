// Our parser beside Packer's own: both read the same, as the same, and refuse the same.
import assert from "node:assert/strict";
import { test } from "node:test";
import { goFile, goOutline } from "../../../../test/helpers/hcl/hclsyntax.ts";
import { mutateHcl } from "../../../../test/helpers/hcl/mutate-hcl.ts";
import { outline } from "../../../../test/helpers/hcl/outline.ts";
import { BODIES, EXPRESSIONS, TEMPLATES } from "../../../../test/helpers/hcl/snippets.ts";
import { ProblemList } from "../../../base/problems.ts";
import { seededRandom } from "../../../base/random.ts";
import { parseHcl, parseHclExpression } from "./parse-hcl.ts";

/** What differs from Packer's parser, and why. */
const DIFFERENCES: ReadonlyMap<string, string> = new Map([
  ["1e2147483647", "Exact numbers of such a size cannot be reckoned with, so ours ends earlier"],
  ["1.e5", "ours leaves the point out"],
  ["{a.b = 1}", "Packer refuses such a key when it evaluates it, with the same reason"],
  ["{a[0] = 1}", "as above"],
  ["{a[0].b = 1}", "as above"],
]);

const MUTATION_COUNT = 1000;

/** The same of damaged ones, and what is the judge's own. */
const KNOWN_OF_DAMAGED: readonly (readonly [RegExp, string])[] = [
  [/\de[+-]?\d{6}/i, "too large a number"],
  [/\d\.e/i, "the point left out"],
  [/\w(?:\.\w+|\[[^\]]*\])+\s*[=:]/, "a key that can be read in two ways"],
  [/[\ud800-\udfff]/, "half a character, which cannot be handed to the judge as it is"],
  [/^\s*(\w+)\b.*\n\s*\1\b/s, "the judge cannot write blocks of one type with more and with fewer labels as JSON"],
];

for (const [what, texts] of [
  ["expressions", EXPRESSIONS],
  ["templates", TEMPLATES],
] as const) {
  test(`${what} are the trees that Packer's parser makes of them, or refused as there`, async () => {
    const wrong: string[] = [];
    for (const text of texts) {
      const [theirs, ours] = [await goOutline(text), ourOutline(text)];
      if (theirs !== ours && !DIFFERENCES.has(text)) wrong.push(difference(text, theirs, ours));
    }
    assert.deepEqual(wrong, []);
  });
}

test("files are read or refused as by Packer's parser", async () => {
  const wrong: string[] = [];
  for (const text of BODIES) {
    const theirs = (await goFile(text)) === undefined ? undefined : "a body";
    const ours = ourFile(text);
    if (theirs !== ours && !DIFFERENCES.has(text)) wrong.push(difference(text, theirs, ours));
  }
  assert.deepEqual(wrong, []);
});

test("damaged pieces are read or refused as by Packer's parser", async () => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= MUTATION_COUNT; seed++) {
    const random = seededRandom(seed);
    const isFile = random() < 0.4;
    const text = mutateHcl(isFile ? BODIES : [...EXPRESSIONS, ...TEMPLATES], random);
    const ours = isFile ? ourFile(text) : ourOutline(text);
    const theirs = isFile ? (await goFile(text)) && "a body" : await goOutline(text);
    if (theirs === ours || KNOWN_OF_DAMAGED.some(([pattern]) => pattern.test(text))) continue;
    wrong.push(`seed ${seed}: ${difference(text, theirs, ours)}`);
  }
  assert.deepEqual(wrong, []);
});

test("the texts of templates are what Packer's parser makes of them", async () => {
  const wrong: string[] = [];
  for (const text of TEMPLATES.filter(isRead)) {
    const file = `a = ${text}\n`;
    const theirs = (await goFile(file))?.["a"];
    const ours = writeTemplate(file);
    if (ours !== undefined && theirs !== ours)
      wrong.push(difference(text, JSON.stringify(theirs), JSON.stringify(ours)));
  }
  assert.deepEqual(wrong, []);
});

function isRead(text: string): boolean {
  return ourOutline(text) !== undefined;
}

/** A template as the judge writes it: decoded, but for what interpolates. `undefined` where it writes the source instead. */
function writeTemplate(file: string): string | undefined {
  const value = parseHcl("test.hcl", file, new ProblemList())?.attributes.get("a")?.value;
  if (value?.kind !== "template") return undefined;
  const texts = value.parts.map((part) => {
    if (part.kind === "text") return part.text.replaceAll(/[$%](?=\{)/g, "$&$&");
    if (part.kind !== "interpolation" || part.expression.kind === "template") return undefined;
    const lines = file.split("\n");
    const { start, end } = part.expression.range;
    return start.line === end.line
      ? `\${${lines[start.line - 1]?.slice(start.column - 1, end.column - 1)}}`
      : undefined;
  });
  return texts.includes(undefined) ? undefined : texts.join("");
}

function ourFile(text: string): string | undefined {
  const problems = new ProblemList();
  const body = parseHcl("test.hcl", text, problems);
  assert.ok(body !== undefined || !problems.isEmpty, text);
  return problems.isEmpty ? "a body" : undefined;
}

function ourOutline(text: string): string | undefined {
  const problems = new ProblemList();
  const expression = parseHclExpression("test.hcl", text, problems);
  assert.equal(expression === undefined, !problems.isEmpty, text);
  return expression && outline(expression);
}

function difference(text: string, theirs: string | undefined, ours: string | undefined): string {
  return `${JSON.stringify(text)}: Packer's ${theirs ?? "refuses it"}, ours ${ours ?? "refuses it"}`;
}
