// Prints what the command line costs before it does anything: `amibake version`
// against an empty node, in turn, so that both meet the same load of the machine.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { median } from "./median.ts";

const RUNS = 20;
const ENTRY = join(import.meta.dirname, "../dist/cli/amibake.js");

function wallMs(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { env: {}, stdio: "ignore" });
  if (status !== 0) throw new Error(`Cannot measure "node ${args.join(" ")}": exit code is ${status}`);
  return performance.now() - start;
}

const commands = {
  "node -e 0": ["-e", "0"],
  "amibake version": [ENTRY, "version"],
  "amibake --help": [ENTRY, "--help"],
};
const times = Object.fromEntries(Object.keys(commands).map((name) => [name, [] as number[]]));
for (const args of Object.values(commands)) wallMs(args);
for (let run = 0; run < RUNS; run++) {
  for (const [name, args] of Object.entries(commands)) times[name]?.push(wallMs(args));
}
const baseline = median(times["node -e 0"] ?? []);
for (const [name, values] of Object.entries(times)) {
  console.log(
    `${name.padEnd(16)} ${median(values).toFixed(1).padStart(7)} ms  ${(median(values) / baseline).toFixed(2)} x`,
  );
}
