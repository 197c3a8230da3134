// How long it takes from asking for a snapshot's blocks to the first byte, and how fast they then come.
//
//   node --import tsx bench/block-server.ts [--rounds N]
//
// Needs root. Against a local cloud without delays, on the tiny base image of the tests.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { seededRandom } from "../src/base/random.ts";
import { MIB, SNAPSHOT_BLOCK_BYTES } from "../src/base/units.ts";
import { type BlockSource, openBlockSource } from "../src/block-server/client.ts";
import { amibakeCommand } from "../test/helpers/amibake-cli.ts";
import { NbdClient } from "../test/helpers/nbd-client.ts";
import { startTestCloud } from "../test/helpers/test-cloud.ts";
import { median } from "./median.ts";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "7" } } });
const rounds = Number(values.rounds);
await using cloud = await startTestCloud();
const { environment } = cloud;
const { Images: [image] = [] } = await cloud.ec2.send(new DescribeImagesCommand({ ImageIds: [cloud.baseImageId] }));
const parent = await mkdtemp(join(tmpdir(), "amibake-bench-"));
const command = await amibakeCommand();

function open(cacheDirectory: string): Promise<BlockSource> {
  return openBlockSource({
    cacheDirectory,
    environment: {},
    startCommand: [...command, "block-server", "--cache", cacheDirectory, "--bytes", String(1024 * MIB)],
    snapshot: {
      snapshotId: image?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "",
      accountId: image?.OwnerId ?? "",
      region: environment["AWS_REGION"] ?? "",
      endpoint: environment["AWS_ENDPOINT_URL"] ?? "",
    },
    credentials: async () => ({
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    }),
    signal: new AbortController().signal,
    onRetry: console.log,
    onMessage: console.log,
    onFailure: console.log,
  });
}

interface Times {
  readonly openMs: number;
  readonly firstByteMs: number;
  readonly closeMs: number;
}

async function openAndRead(cacheDirectory: string): Promise<Times> {
  const startMs = performance.now();
  const source = await open(cacheDirectory);
  const openMs = performance.now() - startMs;
  {
    using nbd = await NbdClient.connect(source.socketPath, source.exportName);
    await nbd.read((source.blockIndexes[0] ?? 0) * SNAPSHOT_BLOCK_BYTES, 4096);
  }
  const firstByteMs = performance.now() - startMs;
  await source[Symbol.asyncDispose]();
  return { openMs, firstByteMs, closeMs: performance.now() - startMs - firstByteMs };
}

/** A process that does nothing, so that the load of the machine can be taken out. */
async function bareNodeMs(): Promise<number> {
  const startMs = performance.now();
  await new Promise((resolve) => spawn(process.execPath, ["-e", "0"]).once("close", resolve));
  return performance.now() - startMs;
}

const shown = (numbers: readonly number[]) => `${median(numbers).toFixed(0).padStart(6)} ms`;

async function tell(what: string, directoryOf: (round: number) => string): Promise<void> {
  const times: Times[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds; round++) {
    bare.push(await bareNodeMs());
    times.push(await openAndRead(directoryOf(round)));
  }
  const columns = (["openMs", "firstByteMs", "closeMs"] as const).map((key) => shown(times.map((time) => time[key])));
  console.log([what.padEnd(28), ...columns, shown(bare)].join("  "));
}

try {
  console.log(["".padEnd(28), "opened   ", "1st byte ", "closed   ", "bare node"].join("  "));
  await tell("no server, nothing cached", (round) => join(parent, `cache-${round}`));
  await tell("no server, all cached", () => join(parent, "cache-0"));
  await using source = await open(join(parent, "cache-0"));
  await tell("a server, all cached", () => join(parent, "cache-0"));
  using nbd = await NbdClient.connect(source.socketPath, source.exportName);
  const random = seededRandom(1);
  const blocks = source.blockIndexes;
  const pick = () => ((blocks[Math.floor(random() * blocks.length)] ?? 0) + random() * 0.99) * SNAPSHOT_BLOCK_BYTES;
  await source.hashes(blocks);
  for (const [name, byteCount, count] of [
    ["4 KiB", 4096, 10_000],
    ["64 KiB", 65_536, 5_000],
    ["1 MiB", MIB, 500],
  ] as const) {
    const startMs = performance.now();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let at = 0; at < count / 16; at++) {
          await nbd.read(Math.min(Math.floor(pick() / 512) * 512, source.sizeBytes - byteCount), byteCount);
        }
      }),
    );
    const seconds = (performance.now() - startMs) / 1000;
    const perSecond = (count / seconds).toFixed(0);
    console.log(
      `${name} at random, 16 at once: ${perSecond}/s, ${((count * byteCount) / MIB / seconds).toFixed(0)} MiB/s`,
    );
  }
} finally {
  await rm(parent, { recursive: true });
}
