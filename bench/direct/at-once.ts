// Many amazon-direct builds at once on one base: how often each block of the base is fetched. Needs root.
//
//   node --import tsx bench/direct/at-once.ts [--builds 20] [--processes 4]
//
// Exits 1 if a block was fetched twice, or a build failed.
import { parseArgs } from "node:util";
import { buildAtOnce } from "../../test/helpers/builds-at-once.ts";
import { startTestCloud } from "../../test/helpers/test-cloud.ts";

const { values } = parseArgs({
  options: { builds: { type: "string", default: "20" }, processes: { type: "string", default: "4" } },
});
const processCount = Number(values.processes);
const buildsEach = Math.ceil(Number(values.builds) / processCount);

await using cloud = await startTestCloud();
const { failures, fetchCount, blockCount, allocatedCount, elapsedMs } = await buildAtOnce(cloud, {
  processCount,
  buildsEach,
  inline: ["find / -xdev -type f -exec cat {} + >/dev/null"],
});
for (const failure of failures) console.log(failure);
console.log(`${processCount * buildsEach} builds in ${processCount} processes, ${Math.round(elapsedMs / 1000)} s`);
console.log(`  ${fetchCount} fetches of ${blockCount} different blocks; the base has ${allocatedCount}`);
process.exitCode = failures.length === 0 && fetchCount === blockCount ? 0 : 1;
