// Damaged templates: never a stack trace, never a hang. bench/fuzz-templates.ts does the same for as long as wanted.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { forEachParallel } from "../../src/base/parallel.ts";
import { seededRandom } from "../../src/base/random.ts";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { describeFinding, fuzzSeeds, fuzzTemplates } from "../helpers/fuzz/fuzz-templates.ts";
import { bulkyInputs, FUZZ_LANGUAGES, type FuzzSeeds, mutateTemplate } from "../helpers/fuzz/mutate-template.ts";

const SEED = Date.now() % 1_000_000;
let seeds: FuzzSeeds;
let directory: string;
before(async () => {
  seeds = await fuzzSeeds();
  directory = await mkdtemp(join(tmpdir(), "amibake-fuzz-"));
});
after(() => rm(directory, { recursive: true, force: true }));

test("a template that has far too much of something is answered at once", async () => {
  const { caseCount, findings } = await fuzzTemplates({ seed: SEED, seeds, what: { kind: "bulky" } });
  assert.deepEqual(findings.map(describeFinding), []);
  assert.equal(caseCount, [...bulkyInputs()].length);
});

test("a damaged template is answered with problems at their places", async (context) => {
  context.diagnostic(`seed ${SEED}`);
  const work = { seed: SEED, seeds, what: { kind: "mutated", firstCase: 0 } } as const;
  const { caseCount, findings } = await fuzzTemplates(work, { untilMs: performance.now() + 8000 });
  assert.deepEqual(findings.map(describeFinding), [], `seed ${SEED}`);
  assert.ok(caseCount > 50, `only ${caseCount} templates were read`);
});

const MODES = [[], ["--json"], ["-machine-readable"], ["-syntax-only"]] as const;
const STACK = /\n\s+at .+:\d+:\d+|Internal error|ERR_INTERNAL/;

test("the command line answers a damaged template in every output with exit code 0 or 2, and no stack", async () => {
  const mutated = Array.from({ length: 50 }, (_, number) => mutateTemplate(seeds, seededRandom(SEED + number)));
  const damaged = FUZZ_LANGUAGES.flatMap((wanted) => mutated.find(({ language }) => language === wanted) ?? []);
  assert.equal(damaged.length, FUZZ_LANGUAGES.length);
  const bulky = [...bulkyInputs()].filter(({ made }) => /50 MB|behind a quote|a chain of 5,000/.test(made));
  // What is bulky, in one output only: how it is printed does not depend on what was wrong.
  const runs = [
    ...damaged.flatMap((input) => MODES.map((mode) => ({ input, mode }))),
    ...bulky.map((input) => ({ input, mode: MODES[0] })),
  ];
  const file = join(directory, "damaged.pkr.hcl");
  await writeFile(file, damaged.find(({ language }) => language === "hcl2")?.bytes ?? "");
  await forEachParallel(runs, 4, async ({ input, mode }) => {
    const path = input.language === "json" ? "-" : file;
    const { exitCode, stdout, stderr } = await runAmibake(["validate", ...mode, path], {
      input: input.language === "json" ? input.bytes : "",
    });
    const what = `seed ${SEED}: ${input.made}, ${mode.join()}: ${stdout.slice(0, 1000)}${stderr.slice(0, 1000)}`;
    assert.ok(exitCode === 0 || exitCode === 2, `exit code ${exitCode}: ${what}`);
    assert.doesNotMatch(stdout + stderr, STACK, what);
    assert.equal(exitCode === 2 && mode.length === 0 ? stdout : "", "", what);
    if (mode[0] === "--json") JSON.parse(stdout);
    assert.ok(stdout.length + stderr.length < 250_000, what);
  });
});
