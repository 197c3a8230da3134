// Disks that a host has trouble with only because of what else it does, or of how they were taken.
import assert from "node:assert/strict";
import { copyFile, mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { AwsError } from "../../src/aws/aws-error.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { importChanged, ROOT_OFFSET_BYTES } from "../helpers/broken-disk.ts";
import { buildAsJson } from "../helpers/json-build.ts";
import { readImageFile } from "../helpers/read-image.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

const FILE = [{ type: "file", content: "x", destination: "/etc/x" }];
const MIB = 1024 ** 2;

test("an XFS whose twin is mounted is named, and nouuid lets it be built on", async () => {
  await using cloud = await startTestCloud();
  const twin = join(cloud.scratch, "twin.raw");
  const source_ami = await importChanged(cloud, async ({ path }) => {
    await (await open(path, "w")).close();
    await runCommand(["truncate", "--size", String(320 * MIB), path]);
    await runCommand(["mkfs.xfs", "-q", path]);
    await copyFile(path, twin);
  });
  const mountpoint = join(cloud.scratch, "twin");
  await mkdir(mountpoint);
  await runCommand(["mount", "-o", "loop", twin, mountpoint]);
  try {
    const refused = await buildAsJson(cloud, { source_ami }, FILE);
    assert.match(
      refused.error?.message ?? "",
      /^Cannot mount "\/dev\/\w+" on "\S+": its XFS has the UUID of "\/dev\/loop\d+", which is mounted$/,
      refused.output,
    );
    assert.equal(refused.error?.hint, 'Let XFS not look at it: "mount_options": ["nouuid"]');
    assert.deepEqual([refused.error?.cleanup, refused.made, refused.exitCode], [[], [], 1]);

    const built = await buildAsJson(cloud, { source_ami, mount_options: ["nouuid"] }, FILE);
    assert.equal(built.exitCode, 0, built.output);
  } finally {
    await runCommand(["umount", mountpoint]);
  }
});

test("a disk that was copied while it was in use is built on: its journal is replayed", async () => {
  await using cloud = await startTestCloud();
  const [live, copy, mountpoint] = ["live.raw", "copy.raw", "live"].map((name) => join(cloud.scratch, name));
  assert.ok(live !== undefined && copy !== undefined && mountpoint !== undefined);
  await copyFile(await tinyBaseImage({ layout: "gpt" }), live);
  await mkdir(mountpoint);
  await runCommand(["mount", "-o", `loop,offset=${ROOT_OFFSET_BYTES}`, live, mountpoint]);
  try {
    await writeFile(join(mountpoint, "etc/in-the-journal"), "replayed\n");
    await runCommand(["sync", join(mountpoint, "etc/in-the-journal"), join(mountpoint, "etc")]);
    await copyFile(live, copy);
  } finally {
    await runCommand(["umount", mountpoint]);
  }
  const { stdout } = await runCommand(["blkid", "--probe", "--offset", String(ROOT_OFFSET_BYTES), copy]);
  assert.match(stdout.toString(), /ext4/);
  assert.ok(await needsRecovery(copy), "the copy is not what the test is about");
  const source_ami = await importChanged(cloud, ({ path }) => rename(copy, path));
  const build = await buildAsJson(cloud, { source_ami }, FILE);
  assert.equal(build.exitCode, 0, build.output);
  const image = build.made.find((id) => id.startsWith("ami-")) ?? "";
  assert.equal(await readImageFile(cloud, image, "/etc/in-the-journal"), "replayed\n");
});

test("a source image whose snapshot is gone says so", () => {
  const error = new AwsError("CreateVolume", "InvalidSnapshot.NotFound", "The snapshot 'snap-1' does not exist.");
  assert.match(error.hint ?? "", /^The snapshot of the source image was deleted, or is not shared/);
});

/** The feature bit by which ext4 says so in its superblock: INCOMPAT_RECOVER. */
async function needsRecovery(path: string): Promise<boolean> {
  const disk = await readFile(path);
  return (disk.readUInt32LE(ROOT_OFFSET_BYTES + 1024 + 0x60) & 0x4) !== 0;
}
