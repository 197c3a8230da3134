// Kills a local cloud in the middle of what it does, again and again, and prints what came of it. It needs root.
//
//   npm run build && node --import tsx bench/local-cloud-kill.ts [--kills 200] [--seed N]
import { parseArgs } from "node:util";
import { runKillCampaign } from "../test/helpers/kill-campaign/campaign.ts";

const { values } = parseArgs({ options: { kills: { type: "string" }, seed: { type: "string" } } });
const kills = Number(values.kills ?? 200);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
console.log(`seed ${seed}`);
const start = performance.now();
const say = (line: string) => process.stderr.write(`${line}\n`);
const figures = await runKillCampaign({ seed, kills, say });
const seconds = (performance.now() - start) / 1000;
console.log(
  `${figures.kills} kills in ${seconds.toFixed(0)} s: nothing that was acknowledged is lost, nothing is left`,
);
console.log(`${figures.answered} calls were answered`);
console.log(`${figures.cutOff} calls were under way at a kill, of which ${figures.done} turned out to be done`);
for (const [name, count] of Object.entries(figures.cutOffByAction).sort()) console.log(`  ${name.padEnd(40)} ${count}`);
