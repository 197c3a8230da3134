// `amibake snapshot upload` and `download` of a sparse image, beside a bare loop of the same HTTP requests to the same
// server, in turn. The local cloud verifies every signature and checksum.
//
//   node --import tsx bench/transfer/run.ts [--runs 5] [--size-gib 4] [--blocks memory,disk]
import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GIB } from "../../src/base/units.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { amibakeCommand } from "../../test/helpers/amibake-cli.ts";
import { median } from "../median.ts";
import { makeImage } from "./make-image.ts";
import { type Figures, MeasuredCloud } from "./measured-cloud.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    "size-gib": { type: "string", default: "4" },
    blocks: { type: "string", default: "memory,disk" },
  },
});
const scratch = await mkdtemp(join(tmpdir(), "amibake-bench-"));
const amibake = [...(await amibakeCommand())];
const image = join(scratch, "disk.raw");
try {
  const sizeBytes = Number(values["size-gib"]) * GIB;
  await makeImage(image, { sizeBytes, seed: 1 });
  console.log(`${values.runs} runs in turn; Node ${process.version}, ${availableParallelism()} CPUs`);
  for (const blocks of values.blocks.split(",")) {
    console.log(`\nThe server keeps blocks ${blocks === "memory" ? "in memory" : "on disk"}\n`);
    for (const line of await measureServer(blocks)) console.log(line);
  }
} finally {
  await rm(scratch, { recursive: true });
}

async function measureServer(blocks: string): Promise<string[]> {
  const store = ["--store", join(scratch, `store-${blocks}`)];
  const started = await runCommand([...amibake, "local", "start", "--blocks", blocks, ...store]);
  try {
    const exported = [...started.stdout.toString().matchAll(/^export (\w+)='?([^'\n]*)'?$/gm)];
    const cloud = new MeasuredCloud(Object.fromEntries(exported.map(([, name, value]) => [name, value])), {
      amibake,
      image,
      scratch,
      serverPid: await pidOf(store),
      sizeGib: Number(values["size-gib"]),
    });
    const ways: Record<string, () => Promise<Figures>> = {
      "PUT, node:http": () => cloud.barePut("http"),
      "PUT, amibake's connections": () => cloud.barePut("sockets"),
      "`snapshot upload`": () => cloud.upload(),
      "GET, node:http": () => cloud.bareGet("http"),
      "GET, amibake's connections": () => cloud.bareGet("sockets"),
      "`snapshot download`": () => cloud.download(),
    };
    // The first upload gives the server its memory, and the downloads their snapshot.
    await cloud.upload({ isKept: true });
    const figures: Record<string, Figures[]> = {};
    for (let run = 1; run <= Number(values.runs); run++) {
      for (const [name, way] of Object.entries(ways)) {
        figures[name] ??= [];
        figures[name].push(await way());
      }
    }
    return table(figures);
  } finally {
    await runCommand([...amibake, "local", "stop", "--force", ...store]);
  }
}

async function pidOf(store: readonly string[]): Promise<number> {
  const { stdout } = await runCommand([...amibake, "local", "status", "--json", ...store]);
  return Number(JSON.parse(stdout.toString()).pid);
}

function table(figures: Readonly<Record<string, readonly Figures[]>>): string[] {
  const base = (name: string) => Object.keys(figures).find((key) => key === `${name}, node:http`) ?? "";
  return [
    "| What | MiB/s | Of node:http | Of amibake's connections | CPU, s/GiB | Of the server, s/GiB | Peak memory, MiB |",
    "|---|---:|---:|---:|---:|---:|---:|",
    ...Object.entries(figures).map(([name, runs]) => {
      const direction = /upload|PUT/.test(name) ? "PUT" : "GET";
      const memory = runs.flatMap(({ peakMemoryMib }) => peakMemoryMib ?? []);
      const cells = [
        spread(runs.map(({ mibPerSecond }) => mibPerSecond)),
        ratio(runs, figures[base(direction)]),
        ratio(runs, figures[`${direction}, amibake's connections`]),
        median(runs.map(({ cpuSecondsPerGib }) => cpuSecondsPerGib)).toFixed(2),
        median(runs.map(({ serverSecondsPerGib }) => serverSecondsPerGib)).toFixed(2),
        memory.length === 0 ? "" : median(memory).toFixed(0),
      ];
      return `| ${name} | ${cells.join(" | ")} |`;
    }),
  ];
}

/** The median of the ratios run by run: what meets the same load is compared. */
function ratio(runs: readonly Figures[], others: readonly Figures[] = []): string {
  return median(runs.map(({ mibPerSecond }, run) => mibPerSecond / (others[run]?.mibPerSecond ?? Number.NaN))).toFixed(
    2,
  );
}

function spread(numbers: readonly number[]): string {
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  return `${median(numbers).toFixed(0)} (${low.toFixed(0)} to ${high.toFixed(0)})`;
}
