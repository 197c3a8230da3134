// Damages templates of both languages for a long time and asks the reader of them: never a stack trace, never a hang, a place in the file
// for each problem. `npx tsx bench/fuzz-templates.ts --seconds 600 --seed 1`; one case again: `--case N --seed 1`.
import { parseArgs } from "node:util";
import { describeFinding, type FuzzResult, fuzzSeeds, fuzzTemplates } from "../test/helpers/fuzz/fuzz-templates.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    seconds: { type: "string", default: "60" },
    case: { type: "string" },
  },
});
const seed = Number(values.seed);
const seeds = await fuzzSeeds();
console.log(`seed ${seed}, ${seeds.json.length} JSON and ${seeds.hcl2.length} HCL2 templates`);

if (values.case !== undefined) {
  const firstCase = Number(values.case);
  tell(
    "case",
    await fuzzTemplates({ seed, seeds, what: { kind: "mutated", firstCase } }, { untilMs: performance.now() + 5000 }),
  );
} else {
  tell("bulky", await fuzzTemplates({ seed, seeds, what: { kind: "bulky", withSlow: true } }));
  const untilMs = performance.now() + Number(values.seconds) * 1000;
  tell("mutated", await fuzzTemplates({ seed, seeds, what: { kind: "mutated", firstCase: 0 } }, { untilMs }));
}

function tell(what: string, { caseCount, slowestMs, slowest, findings }: FuzzResult): void {
  console.log(`${what}: ${caseCount} templates, the slowest took ${slowestMs.toFixed(0)} ms (${slowest})`);
  for (const finding of findings) console.log(describeFinding(finding));
  console.log(`${what}: ${findings.length} findings`);
  if (findings.length > 0) process.exitCode = 1;
}
