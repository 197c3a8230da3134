// Builds with several tools in turn: the same template, endpoint and seed.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PristineStore, type RunningCloud, startCloud } from "./local-cloud.ts";
import { type Measurement, measure } from "./measure.ts";
import { pairedRatio, type Results, resultTable } from "./table.ts";

export interface Tool {
  readonly name: string;
  readonly argv: (amibake: readonly string[]) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What its builder has instead of the template's own. */
  readonly builder?: Readonly<Record<string, unknown>>;
}

/** The most that the first tool's wall time may be, as a part of another's. */
export interface Bar {
  readonly latency: string;
  readonly other: string;
  readonly ratioMax: number;
}

export interface Comparison {
  readonly amibake: readonly string[];
  /** The first one is what the others are compared with. */
  readonly tools: readonly Tool[];
  readonly pristine: PristineStore;
  readonly scratch: string;
  readonly runCount: number;
  readonly bars: readonly Bar[];
  readonly provisioners: readonly unknown[];
  /** What a tool printed, for those who want to know more than its time. */
  readonly onOutput?: (tool: string, output: string) => void;
}

/** Prints the table and how the bars are met. */
export async function compareTools(comparison: Comparison, latency: string): Promise<void> {
  const { tools, runCount, bars } = comparison;
  const results: Record<string, Measurement[]> = Object.fromEntries(tools.map(({ name }) => [name, []]));
  for (let run = 1; run <= runCount; run++) {
    // Whoever goes first changes: what one leaves in the caches helps each of the others as often.
    const order = tools.map((_, index) => tools[(index + run) % tools.length]).filter((tool) => tool !== undefined);
    for (const tool of order) {
      const measurement = await bake(tool, comparison, { latency, seed: run });
      results[tool.name]?.push(measurement);
      console.error(`${latency}, run ${run}, ${tool.name}: ${measurement.wallSeconds.toFixed(2)} s`);
    }
  }
  const [first] = tools;
  console.log(`\nLatency ${latency}. Ratios are to the first line's, run by run.\n`);
  for (const line of resultTable(results)) console.log(line);
  console.log();
  for (const { other, ratioMax } of bars.filter((bar) => bar.latency === latency)) {
    const ratio = pairedRatio(wallOf(results, first?.name ?? ""), wallOf(results, other));
    const verdict = ratio <= ratioMax ? "met" : "MISSED";
    console.log(
      `${first?.name} takes ${ratio.toFixed(2)} of "${other}"; the bar is ${ratioMax.toFixed(2)}: ${verdict}`,
    );
  }
}

function wallOf(results: Results, name: string): number[] {
  return (results[name] ?? []).map(({ wallSeconds }) => wallSeconds);
}

async function bake(
  tool: Tool,
  { amibake, pristine, scratch, provisioners, onOutput }: Comparison,
  { latency, seed }: { latency: string; seed: number },
): Promise<Measurement> {
  const directory = await mkdtemp(join(scratch, "run-"));
  try {
    await using cloud = await startCloud(amibake, { pristine, latency, seed, directory: join(directory, "store") });
    const template = join(directory, "template.json");
    const builder = { ...builderFor(pristine, cloud), ...tool.builder };
    // JSON leaves out what a tool's builder has not.
    await writeFile(template, JSON.stringify({ builders: [builder], provisioners }));
    const env = {
      PATH: process.env["PATH"] ?? "",
      HOME: directory,
      CHECKPOINT_DISABLE: "1",
      ...cloud.environment,
      ...tool.env,
    };
    const measurement = await measure({ argv: [...tool.argv(amibake), template], env, cwd: directory });
    onOutput?.(tool.name, measurement.output);
    return measurement;
  } finally {
    await rm(directory, { recursive: true });
  }
}

// Packer finds a free name itself only on a host whose own disks are called sd or xvd.
const DEVICE_PATH = "/dev/xvdz";

function builderFor({ sourceImageId }: PristineStore, { environment }: RunningCloud): Record<string, unknown> {
  return {
    type: "amazon-chroot",
    access_key: environment["AWS_ACCESS_KEY_ID"],
    secret_key: environment["AWS_SECRET_ACCESS_KEY"],
    region: environment["AWS_REGION"],
    custom_endpoint_ec2: environment["AWS_ENDPOINT_URL"],
    source_ami: sourceImageId,
    ami_name: "baked",
    device_path: DEVICE_PATH,
    tags: { Name: "baked" },
  };
}
