// amazon-direct against amazon-chroot, of Packer 1.6.6 and of amibake: the same template but for the builder's type, the
// same endpoint and seed, in turn, on a bootable Debian 12. Needs root, and Debian's packer.
//
//   node --import tsx bench/direct/run.ts [--runs 5] [--latency none,aws]
//
// Each run begins without a cache, unless the tool's line says "warm".
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runCommand } from "../../src/linux/run-command.ts";
import { amibakeCommand } from "../../test/helpers/amibake-cli.ts";
import { ROOT } from "../../test/helpers/source-files.ts";
import { compareTools, type Tool } from "../packer/compare.ts";
import { makePristineStore } from "../packer/local-cloud.ts";
import { describeMachine } from "../packer/machine.ts";
import { AMIBAKE_CHROOT, PACKER_DEFAULTS, PACKER_TUNED } from "../packer/tools.ts";
import { StepTimes } from "./step-times.ts";

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, latency: { type: "string", default: "none,aws" } },
});

/** What many templates do, without the network: a user, files, a service, a package database that is rewritten. */
const PROVISIONING = [
  "useradd --create-home app",
  "cp -a /usr/share/perl5 /opt/lib",
  "printf '[Service]\\nExecStart=/opt/app\\n' > /etc/systemd/system/app.service",
  "dpkg --configure --pending && cp /var/lib/dpkg/status /var/lib/dpkg/status.new && mv /var/lib/dpkg/status.new /var/lib/dpkg/status",
  "dd if=/dev/urandom of=/opt/app bs=1M count=8 status=none",
];

const amibake = await amibakeCommand();
const scratch = await mkdtemp(join(tmpdir(), "amibake-bench-"));
const direct: Tool = {
  name: "amibake, amazon-direct",
  argv: (command) => [...command, "build", "-color=false"],
  builder: { type: "amazon-direct", device_path: undefined },
};
const warm: Tool = {
  ...direct,
  name: "amibake, amazon-direct, warm cache",
  env: { AMIBAKE_CACHE_DIR: join(scratch, "cache") },
};
const tools = [direct, warm, AMIBAKE_CHROOT, PACKER_DEFAULTS, PACKER_TUNED];
try {
  await mkdir(join(scratch, "cache"));
  const disk = (await runCommand([join(ROOT, "scripts/make-base-image")], { env: environment() })).stdout.toString();
  const pristine = await makePristineStore(amibake, { directory: join(scratch, "pristine"), disk: disk.trim() });
  console.log(`${values.runs} runs of each in turn; ${describeMachine()}`);
  for (const latency of values.latency.split(",")) {
    const steps = new StepTimes();
    const comparison = {
      amibake,
      scratch,
      pristine,
      tools,
      runCount: Number(values.runs),
      bars: [
        { latency: "aws", other: PACKER_DEFAULTS.name, ratioMax: 0.2 },
        { latency: "none", other: AMIBAKE_CHROOT.name, ratioMax: 1.5 },
      ],
      provisioners: [{ type: "shell", inline: PROVISIONING }],
      onOutput: (tool: string, output: string) => {
        if (tool === direct.name) steps.add(output);
      },
    };
    await compareTools(comparison, latency);
    console.log(`\nWhere the time of ${direct.name} goes:\n`);
    for (const line of steps.table()) console.log(line);
  }
} finally {
  await rm(scratch, { recursive: true });
}

function environment(): Record<string, string> {
  const { PATH = "", HOME = "/root", XDG_CACHE_HOME } = process.env;
  return { PATH, HOME, ...(XDG_CACHE_HOME === undefined ? {} : { XDG_CACHE_HOME }) };
}
