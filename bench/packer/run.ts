// amibake against Packer 1.6.6's amazon-chroot: the same template, endpoint and
// seed, in turn. Needs root, and Debian's packer.
//
//   node --import tsx bench/packer/run.ts [--runs 5] [--latency none,aws]
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { amibakeCommand } from "../../test/helpers/amibake-cli.ts";
import { tinyBaseImage } from "../../test/helpers/base-image.ts";
import { makePristineStore, type PristineStore, startCloud } from "./local-cloud.ts";
import { type Measurement, measure } from "./measure.ts";
import { pairedRatio, resultTable } from "./table.ts";

const PACKER = "/usr/bin/packer";
// Packer finds a free name itself only on a host whose own disks are called sd or xvd.
const DEVICE_PATH = "/dev/xvdz";

interface Tool {
  readonly name: string;
  readonly argv: (amibake: readonly string[]) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

const TOOLS: readonly Tool[] = [
  { name: "amibake", argv: (amibake) => [...amibake, "build"], env: {} },
  { name: "Packer, defaults", argv: () => [PACKER, "build"], env: {} },
  {
    name: "Packer, polling each 2 s",
    argv: () => [PACKER, "build"],
    // As `aws_polling` would, so that the template stays the same for all.
    env: { AWS_POLL_DELAY_SECONDS: "2", AWS_MAX_ATTEMPTS: "900" },
  },
];

/** The most that amibake's wall time may be, as a part of each Packer's. */
const BARS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  none: { "Packer, defaults": 1, "Packer, polling each 2 s": 1 },
  aws: { "Packer, defaults": 0.75, "Packer, polling each 2 s": 1 },
};

const { values } = parseArgs({
  options: { runs: { type: "string", default: "5" }, latency: { type: "string", default: "none,aws" } },
});

const amibake = await amibakeCommand();
const scratch = await mkdtemp(join(tmpdir(), "amibake-bench-"));
try {
  const disk = await tinyBaseImage({ layout: "gpt" });
  const pristine = await makePristineStore(amibake, { directory: join(scratch, "pristine"), disk });
  console.log(
    `${values.runs} runs of each in turn; Node ${process.version}, ${availableParallelism()} CPUs, ${Math.round(totalmem() / 1024 ** 3)} GiB`,
  );
  for (const latency of values.latency.split(",")) await compare(pristine, latency, Number(values.runs));
} finally {
  await rm(scratch, { recursive: true });
}

async function compare(pristine: PristineStore, latency: string, runCount: number): Promise<void> {
  const results: Record<string, Measurement[]> = Object.fromEntries(TOOLS.map(({ name }) => [name, []]));
  for (let run = 1; run <= runCount; run++) {
    // Whoever goes first changes: what one leaves in the caches helps each of the others as often.
    const order = TOOLS.map((_, index) => TOOLS[(index + run) % TOOLS.length]).filter((tool) => tool !== undefined);
    for (const tool of order) {
      const measurement = await bake(tool, { pristine, latency, seed: run });
      results[tool.name]?.push(measurement);
      console.error(`${latency}, run ${run}, ${tool.name}: ${measurement.wallSeconds.toFixed(2)} s`);
    }
  }
  console.log(`\nLatency ${latency}. Ratios are to amibake's, run by run.\n`);
  for (const line of resultTable(results)) console.log(line);
  console.log();
  for (const [name, bar] of Object.entries(BARS[latency] ?? {})) {
    const wall = (runs: readonly Measurement[] = []) => runs.map(({ wallSeconds }) => wallSeconds);
    const ratio = pairedRatio(wall(results["amibake"]), wall(results[name]));
    console.log(
      `amibake takes ${ratio.toFixed(2)} of "${name}"; the bar is ${bar.toFixed(2)}: ${ratio <= bar ? "met" : "MISSED"}`,
    );
  }
}

async function bake(
  tool: Tool,
  options: { pristine: PristineStore; latency: string; seed: number },
): Promise<Measurement> {
  const directory = await mkdtemp(join(scratch, "run-"));
  try {
    await using cloud = await startCloud(amibake, { ...options, directory: join(directory, "store") });
    const template = join(directory, "template.json");
    await writeFile(template, JSON.stringify(templateFor(options.pristine, cloud.environment)));
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: directory,
      CHECKPOINT_DISABLE: "1",
      ...cloud.environment,
      ...tool.env,
    };
    return await measure({ argv: [...tool.argv(amibake), template], env, cwd: directory });
  } finally {
    await rm(directory, { recursive: true });
  }
}

function templateFor({ sourceImageId }: PristineStore, environment: Readonly<Record<string, string>>): unknown {
  return {
    builders: [
      {
        type: "amazon-chroot",
        access_key: environment["AWS_ACCESS_KEY_ID"],
        secret_key: environment["AWS_SECRET_ACCESS_KEY"],
        region: environment["AWS_REGION"],
        custom_endpoint_ec2: environment["AWS_ENDPOINT_URL"],
        source_ami: sourceImageId,
        ami_name: "baked",
        device_path: DEVICE_PATH,
        tags: { Name: "baked" },
      },
    ],
    provisioners: [
      { type: "shell", inline: ["dd if=/dev/urandom of=/var/tmp/data bs=1M count=8", "sync", "echo baked > /baked"] },
    ],
  };
}
