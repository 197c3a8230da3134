// Packer itself is the judge of both template languages: the same value, or both refuse. Where they differ, the table says how
// and why, and docs/packer-differences.md tells users.
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { forEachParallel } from "../../src/base/parallel.ts";
import type { Difference, ExpressionCase, Outcome } from "../fixtures/conformance/conformance-case.ts";
import { HCL_REFUSED, HCL_SYNTAX_REFUSED, HCL_VALUES } from "../fixtures/conformance/hcl-expressions.ts";
import { JSON_REFUSED, JSON_VALUES } from "../fixtures/conformance/json-expressions.ts";
import { PRECEDENCE, VALIDATION } from "../fixtures/conformance/templates.ts";
import {
  amibakeHclOutcome,
  packerHclValues,
  packerTakesSyntax,
  writeDataFiles,
} from "../helpers/conformance/hcl-outcomes.ts";
import { amibakeJsonOutcome, packerJsonRefusals, packerJsonValues } from "../helpers/conformance/json-outcomes.ts";
import { whyNoPacker } from "../helpers/conformance/packer.ts";
import { amibakeOutcome, packerOutcome, writeCase } from "../helpers/conformance/template-outcomes.ts";
import { ROOT } from "../helpers/source-files.ts";

const skip = (await whyNoPacker()) ?? false;
// Packer starts two processes, and each of them many threads.
const SIDE_BY_SIDE = 4;
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "amibake-conformance-"));
  await writeDataFiles(directory);
});
after(() => rm(directory, { recursive: true, force: true }));

interface Compared {
  readonly what: string;
  readonly packer: Outcome;
  readonly amibake: Outcome;
}

/** What is not as the table says. */
function wrongOf({ what, packer, amibake }: Compared, differs: Difference | undefined): unknown[] {
  const isAsListed =
    differs === undefined
      ? isSame(packer, amibake)
      : isSame(packer, differs.packer) && isSame(amibake, differs.amibake) && !isSame(packer, amibake);
  return isAsListed ? [] : [{ what, packer, amibake, listed: differs }];
}

function isSame(a: Outcome, b: Outcome): boolean {
  return a === "refused" || b === "refused" ? a === b : a.value === b.value;
}

test("values of expressions in JSON templates", { skip }, async () => {
  const { outcomes, startTime } = await packerJsonValues(JSON_VALUES, directory);
  const wrong: unknown[] = [];
  for (const [index, one] of JSON_VALUES.entries()) {
    const amibake = await amibakeJsonOutcome(one, directory, startTime);
    wrong.push(...wrongOf({ what: one.text, packer: outcomes[index] ?? "refused", amibake }, one.differs));
  }
  assert.deepEqual(wrong, []);
});

test("expressions in JSON templates that have no value", { skip }, async () => {
  const same = JSON_REFUSED.filter(({ differs }) => differs === undefined);
  const accepted: string[] = [];
  for (const one of JSON_REFUSED) {
    if ((await amibakeJsonOutcome(one, directory, new Date())) !== "refused") accepted.push(one.text);
  }
  assert.deepEqual(accepted, [], "amibake accepts them");
  if ((await packerJsonRefusals(same, directory)) === same.length) return;
  for (const one of same) assert.equal(await packerJsonRefusals([one], directory), 1, `Packer accepts ${one.text}`);
});

for (const [what, cases] of [
  ["values of expressions of HCL2", HCL_VALUES],
  ["expressions of HCL2 that have no value", HCL_REFUSED],
] as const) {
  test(what, { skip }, async () => {
    const outcomes = await packerHclValues(cases, directory);
    const wrong: unknown[] = [];
    for (const [index, one] of cases.entries()) {
      const packer = outcomes[index] ?? "refused";
      const amibake = await amibakeHclOutcome(one, directory);
      wrong.push(...wrongOf({ what: one.text, packer, amibake }, one.differs));
      if (one.differs === undefined) assert.equal(packer === "refused", cases === HCL_REFUSED, one.text);
    }
    assert.deepEqual(wrong, []);
  });
}

test("texts that are no expressions of HCL2", { skip }, async () => {
  const accepted: string[] = [];
  for (const one of HCL_SYNTAX_REFUSED) {
    if ((await amibakeHclOutcome(one, directory)) !== "refused") accepted.push(`amibake: ${one.text}`);
  }
  for (const one of await packerTakesSyntax(HCL_SYNTAX_REFUSED, directory)) accepted.push(`Packer: ${one.text}`);
  assert.deepEqual(accepted, []);
});

for (const [what, cases] of [
  ["which value of a variable wins", PRECEDENCE],
  ["what makes a template wrong", VALIDATION],
] as const) {
  test(what, { skip }, async () => {
    const wrong: unknown[] = [];
    await forEachParallel(cases, SIDE_BY_SIDE, async (one) => {
      const own = await writeCase(one, directory);
      const packer = await packerOutcome(one, own);
      const amibake = await amibakeOutcome(one, own);
      wrong.push(...wrongOf({ what: `${one.path}: ${one.what}`, packer, amibake }, one.differs));
    });
    assert.deepEqual(wrong, []);
  });
}

test("docs/packer-differences.md tells of every difference", async () => {
  const page = (await readFile(join(ROOT, "docs/packer-differences.md"), "utf8")).replaceAll(/\s+/g, " ");
  const all: readonly Pick<ExpressionCase, "differs">[] = [
    ...[JSON_VALUES, JSON_REFUSED, HCL_VALUES, HCL_REFUSED, HCL_SYNTAX_REFUSED].flat(),
    ...[PRECEDENCE, VALIDATION].flat(),
  ];
  const reasons = new Set(all.flatMap(({ differs }) => differs?.reason ?? []));
  for (const reason of reasons) assert.ok(page.includes(reason), `It does not say: ${reason}`);
});

test("the table is as long as it should be", () => {
  const all = [JSON_VALUES, JSON_REFUSED, HCL_VALUES, HCL_REFUSED, HCL_SYNTAX_REFUSED, PRECEDENCE, VALIDATION];
  assert.ok(all.flat().length >= 150);
});
