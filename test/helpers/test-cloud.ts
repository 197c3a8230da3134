import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { NEVER } from "../../src/base/never.ts";
import { stopDaemon } from "../../src/cli/commands/local-stop.ts";
import { isStore, resetStore } from "../../src/local-cloud/reset-store.ts";
import { type CliResult, runAmibake } from "./amibake-cli.ts";
import { importDisk } from "./ask-cloud.ts";
import { tinyBaseImage } from "./base-image.ts";
import type { DiskLayout } from "./disk-layouts.ts";
import { readHostState } from "./host-state.ts";

/** A local cloud with a tiny image, in a process of its own: whoever serves disks must not touch mounts. */
export interface TestCloud extends AsyncDisposable {
  readonly storeDirectory: string;
  /** What `amibake local start` prints. */
  readonly environment: Readonly<Record<string, string>>;
  readonly baseImageId: string;
  readonly ec2: EC2Client;
  /** A directory for templates and the like. */
  readonly scratch: string;
  /** Runs `amibake local …` on its store and asserts that it succeeds. */
  local(...args: string[]): Promise<CliResult>;
  /** Runs `amibake` with its environment, whatever the exit code. */
  amibake(args: readonly string[], options?: Parameters<typeof runAmibake>[1]): Promise<CliResult>;
  /** Ids of its volumes, snapshots and own images, but for the base image and its snapshot. */
  resources(): Promise<string[]>;
}

/** At the end of its scope nothing of it may be left on the host: that is asserted too. */
export async function startTestCloud(
  options: {
    layout?: DiskLayout;
    /** The base image's disk, instead of a tiny one. */
    disk?: string;
    startOptions?: readonly string[];
    storeParent?: string;
  } = {},
): Promise<TestCloud> {
  const scratch = await mkdtemp(join(tmpdir(), "amibake-cloud-"));
  const storeDirectory = join(options.storeParent ?? scratch, "store");
  const local = async (...args: string[]): Promise<CliResult> => {
    const result = await runAmibake(["local", ...args, "--store", storeDirectory]);
    assert.equal(result.exitCode, 0, result.stderr);
    return result;
  };
  const started = await local("start", ...(options.startOptions ?? []));
  const stateDirectory = join(scratch, "state");
  const environment: Record<string, string> = {
    ...exportedVariables(started.stdout),
    AMIBAKE_STATE_DIR: stateDirectory,
  };
  const disk = options.disk ?? (await tinyBaseImage({ layout: options.layout ?? "gpt" }));
  const imported = await importDisk(storeDirectory, { path: disk, name: "base" });
  const ec2 = new EC2Client({
    region: environment["AWS_REGION"] ?? "",
    endpoint: environment["AWS_ENDPOINT_URL"] ?? "",
    credentials: {
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  });
  const baseIds = new Set<string>([imported.imageId, imported.snapshotId]);
  return {
    storeDirectory,
    environment,
    baseImageId: imported.imageId,
    ec2,
    scratch,
    local,
    amibake: (args, cliOptions = {}) =>
      runAmibake(args, { cwd: scratch, ...cliOptions, env: { ...environment, ...cliOptions.env } }),
    resources: async () => (await resourceIds(ec2)).filter((id) => !baseIds.has(id)),
    async [Symbol.asyncDispose]() {
      ec2.destroy();
      if (await isStore(storeDirectory)) {
        await stopDaemon(storeDirectory, true);
        await resetStore(storeDirectory, { signal: NEVER });
      }
      await rm(scratch, { recursive: true });
      // Other tests run at the same time: only what is of this store can be judged here.
      const ours = [...(await readHostState())].filter(
        (line) => line.includes(scratch) || line.includes(storeDirectory),
      );
      assert.deepEqual(ours, []);
    },
  };
}

function exportedVariables(text: string): Record<string, string> {
  const entries = [...text.matchAll(/^export (\w+)='?([^'\n]*)'?$/gm)].map(([, name = "", value = ""]) => [
    name,
    value,
  ]);
  return Object.fromEntries(entries);
}

async function resourceIds(ec2: EC2Client): Promise<string[]> {
  const [volumes, snapshots, images] = await Promise.all([
    ec2.send(new DescribeVolumesCommand({})),
    ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] })),
    ec2.send(new DescribeImagesCommand({ Owners: ["self"] })),
  ]);
  return [
    ...(volumes.Volumes ?? []).map(({ VolumeId = "" }) => VolumeId),
    ...(snapshots.Snapshots ?? []).map(({ SnapshotId = "" }) => SnapshotId),
    ...(images.Images ?? []).map(({ ImageId = "" }) => ImageId),
  ];
}
