// Every fault of the local cloud at every call of a build. Needs root.
//
//   node --import tsx bench/faults.ts [--builder amazon-direct [--copy-base]] [--only PATTERN] [--sample 40 --seed 1] [--clouds 2]
//
// With --copy-base, each build has to copy its base into the account first. Prints how each case ended and the counts; exits 1 if a case has a problem.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seededRandom } from "../src/base/random.ts";
import { runCommand } from "../src/linux/run-command.ts";
import { BUILDERS, type Builder } from "../test/helpers/crash-plan.ts";
import { type FaultOutcome, openFaultMatrix } from "../test/helpers/fault-matrix.ts";
import { ROOT } from "../test/helpers/source-files.ts";
import { BUNDLES_VARIABLE, TEST_PROGRAMS } from "../test/helpers/test-program.ts";
import { endRequested, runWorkers } from "./workers.ts";

const { values } = parseArgs({
  options: {
    builder: { type: "string", default: "amazon-chroot" },
    "copy-base": { type: "boolean", default: false },
    only: { type: "string", default: "" },
    sample: { type: "string" },
    seed: { type: "string", default: "1" },
    clouds: { type: "string", default: "2" },
    worker: { type: "string" },
  },
});

const builder = BUILDERS.find((name) => name === values.builder);
if (builder === undefined) throw new RangeError(`Unknown builder "${values.builder}": ${BUILDERS.join(" or ")}`);

if (values.worker === undefined) await main();
else await work(Number(values.worker), builder);

async function main(): Promise<void> {
  const start = performance.now();
  const outcomes: FaultOutcome[] = [];
  await using bundles = await bundlePrograms();
  process.env[BUNDLES_VARIABLE] = bundles.directory;
  const failedCount = await runWorkers<FaultOutcome>(Number(values.clouds), (outcome) => {
    outcomes.push(outcome);
    console.log(lineOf(outcome));
    for (const problem of outcome.problems) console.log(`    PROBLEM: ${problem}`);
  });
  report(outcomes, performance.now() - start);
  const isFine = outcomes.every(({ problems }) => problems.length === 0) && failedCount === 0 && outcomes.length > 0;
  process.exitCode = isFine ? 0 : 1;
}

/** Each case starts a block server: compiled, that takes a fraction of the time. */
async function bundlePrograms(): Promise<{ directory: string } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-bundles-"));
  await runCommand(["node", join(ROOT, "scripts/testing/bundle-tests.mjs"), directory, ...TEST_PROGRAMS]);
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

async function work(number: number, builder: Builder): Promise<void> {
  await using matrix = await openFaultMatrix(builder, { copiesBase: values["copy-base"] });
  const chosen = sampled(matrix.cases.filter(({ name }) => new RegExp(values.only).test(name)));
  const end = endRequested();
  for (let index = number; index < chosen.length && !end.aborted; index += Number(values.clouds)) {
    const faultCase = chosen[index];
    if (faultCase !== undefined) console.log(JSON.stringify(await matrix.run(faultCase)));
  }
}

function sampled<T>(items: readonly T[]): readonly T[] {
  if (values.sample === undefined) return items;
  const random = seededRandom(Number(values.seed));
  const places = items.map((item) => ({ item, place: random() })).sort((a, b) => a.place - b.place);
  return places.slice(0, Number(values.sample)).map(({ item }) => item);
}

function lineOf({ name, strikeCount, ending, namedLeftovers, elapsedMs }: FaultOutcome): string {
  const left = namedLeftovers.length === 0 ? "nothing left" : `named: ${namedLeftovers.join(" ")}`;
  return `${name}: ${ending}, ${left}, ${strikeCount} struck, ${(elapsedMs / 1000).toFixed(1)} s`;
}

function report(outcomes: readonly FaultOutcome[], elapsedMs: number): void {
  const count = (matches: (outcome: FaultOutcome) => boolean) => outcomes.filter(matches).length;
  const slowestMs = Math.max(0, ...outcomes.map((outcome) => outcome.elapsedMs));
  const endings = new Set(outcomes.map(({ ending }) => ending));
  console.log(`\n${outcomes.length} cases in ${Math.round(elapsedMs / 1000)} s`);
  console.log(`  never struck, as the build did not come there: ${count(({ strikeCount }) => strikeCount === 0)}`);
  for (const ending of [...endings].sort())
    console.log(`  ${ending}: ${count((outcome) => outcome.ending === ending)}`);
  console.log(
    `  with leftovers that were named, and cleaned: ${count(({ namedLeftovers }) => namedLeftovers.length > 0)}`,
  );
  console.log(`  slowest: ${(slowestMs / 1000).toFixed(1)} s`);
  console.log(`${count(({ problems }) => problems.length > 0)} cases with problems`);
}
