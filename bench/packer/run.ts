// amibake against Packer 1.6.6's amazon-chroot: the same template, endpoint and
// seed, in turn. Needs root, and Debian's packer.
//
//   node --import tsx bench/packer/run.ts [--runs 5] [--latency none,aws]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { amibakeCommand } from "../../test/helpers/amibake-cli.ts";
import { tinyBaseImage } from "../../test/helpers/base-image.ts";
import { compareTools } from "./compare.ts";
import { makePristineStore } from "./local-cloud.ts";
import { describeMachine } from "./machine.ts";
import { AMIBAKE_CHROOT, PACKER_DEFAULTS, PACKER_TUNED } from "./tools.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, latency: { type: "string", default: "none,aws" } },
});

const amibake = await amibakeCommand();
const scratch = await mkdtemp(join(tmpdir(), "amibake-bench-"));
try {
  const disk = await tinyBaseImage({ layout: "gpt" });
  const pristine = await makePristineStore(amibake, { directory: join(scratch, "pristine"), disk });
  console.log(`${values.runs} runs of each in turn; ${describeMachine()}`);
  const comparison = {
    amibake,
    scratch,
    pristine,
    runCount: Number(values.runs),
    tools: [{ ...AMIBAKE_CHROOT, name: "amibake" }, PACKER_DEFAULTS, PACKER_TUNED],
    bars: [
      { latency: "none", other: PACKER_DEFAULTS.name, ratioMax: 1 },
      { latency: "none", other: PACKER_TUNED.name, ratioMax: 1 },
      { latency: "aws", other: PACKER_DEFAULTS.name, ratioMax: 0.75 },
      { latency: "aws", other: PACKER_TUNED.name, ratioMax: 1 },
    ],
    provisioners: [
      { type: "shell", inline: ["dd if=/dev/urandom of=/var/tmp/data bs=1M count=8", "sync", "echo baked > /baked"] },
    ],
  };
  for (const latency of values.latency.split(",")) await compareTools(comparison, latency);
} finally {
  await rm(scratch, { recursive: true });
}
