// Kills builds at every moment of their journal and at random times, cleans, and counts what is left. Needs root.
//
//   node --import tsx bench/crash.ts [--builder amazon-direct] [--runs 1000] [--seed 1] [--clouds 2] [--latency none] [--first 0]
//
// Prints each leak as it is found, and the counts at the end; exits 1 if anything leaked.
import { parseArgs } from "node:util";
import { type CrashOutcome, openCrashCampaign } from "../test/helpers/crash-campaign.ts";
import { BUILDERS, type Builder } from "../test/helpers/crash-plan.ts";
import { median } from "./median.ts";
import { endRequested, runWorkers } from "./workers.ts";

const { values } = parseArgs({
  options: {
    builder: { type: "string", default: "amazon-chroot" },
    runs: { type: "string", default: "1000" },
    first: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    clouds: { type: "string", default: "2" },
    latency: { type: "string", default: "none" },
    worker: { type: "string" },
  },
});
const [runCount, first, cloudCount] = [values.runs, values.first, values.clouds].map(Number) as [
  number,
  number,
  number,
];

const builder = BUILDERS.find((name) => name === values.builder);
if (builder === undefined) throw new RangeError(`Unknown builder "${values.builder}": ${BUILDERS.join(" or ")}`);

if (values.worker === undefined) await main();
else await work(Number(values.worker), builder);

/** Each cloud has a process of its own, so that what is left is known to be of its builds. */
async function main(): Promise<void> {
  const start = performance.now();
  const outcomes: CrashOutcome[] = [];
  const failedCount = await runWorkers<CrashOutcome>(cloudCount, (outcome) => {
    outcomes.push(outcome);
    for (const leak of outcome.leaks) console.log(`LEAK in run ${outcome.run}, ${outcome.what}: ${leak}`);
    if (outcomes.length % 50 === 0) console.log(`${outcomes.length} runs`);
  });
  report(outcomes, performance.now() - start);
  const leakCount = outcomes.flatMap(({ leaks }) => leaks).length;
  process.exitCode = leakCount === 0 && failedCount === 0 && outcomes.length === runCount ? 0 : 1;
}

async function work(number: number, builder: Builder): Promise<void> {
  const seed = Number(values.seed);
  await using campaign = await openCrashCampaign({ seed, builder, startOptions: ["--latency", values.latency] });
  const end = endRequested();
  for (let run = first + number; run < first + runCount && !end.aborted; run += cloudCount) {
    console.log(JSON.stringify(await campaign.run(run)));
  }
}

function report(outcomes: readonly CrashOutcome[], elapsedMs: number): void {
  const count = (matches: (outcome: CrashOutcome) => boolean) => outcomes.filter(matches).length;
  const waitsMs = outcomes.filter(({ isKilled }) => isKilled).map(({ hostCleanMs }) => hostCleanMs);
  console.log(`${values.builder}, seed ${values.seed}: ${outcomes.length} runs in ${Math.round(elapsedMs / 1000)} s`);
  console.log(`  killed: ${count(({ isKilled }) => isKilled)}`);
  console.log(`  with a finished image, which was kept: ${count(({ isFinished }) => isFinished)}`);
  if (waitsMs.length === 0) return;
  console.log(
    `  host as before: ${Math.round(median(waitsMs))} ms after the kill, at most ${Math.round(Math.max(0, ...waitsMs))} ms`,
  );
  console.log(`  runs with leaks: ${count(({ leaks }) => leaks.length > 0)}`);
  console.log(`${outcomes.flatMap(({ leaks }) => leaks).length} leaks`);
}
