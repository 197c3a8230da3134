// A local cloud whose disk is full to the last byte: what it has can be read and deleted, and what is asked for beyond
// that is refused clearly, with nothing of it left.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import {
  AttachVolumeCommand,
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import { readInstanceIdentity } from "../../src/aws/imds.ts";
import { MIB } from "../../src/base/units.ts";
import { buildAsJson } from "../helpers/json-build.ts";
import { expectAwsError } from "../helpers/local-cloud-fixture.ts";
import { fillDirectory, freeBytes, smallFileSystem, temporaryDirectory } from "../helpers/small-file-system.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

const AvailabilityZone = "us-east-1a";
const FULL =
  /^The disk of the local cloud's store is full: it .*\. Make room there, or delete volumes and snapshots\.$/;

async function baseSnapshot({ ec2, baseImageId }: TestCloud): Promise<string> {
  const { Images } = await ec2.send(new DescribeImagesCommand({ ImageIds: [baseImageId] }));
  return Images?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "";
}

async function stateOfVolume({ ec2 }: TestCloud, volumeId: string): Promise<string | undefined> {
  const { Volumes } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
  return Volumes?.[0]?.State;
}

test("a full store can be read and deleted from, refuses what needs room, and goes on when there is some", async () => {
  await using directory = await temporaryDirectory();
  await using small = await smallFileSystem(join(directory.path, "store"), "200m");
  await using cloud = await startTestCloud({ storeParent: small.path });
  const { ec2 } = cloud;
  const SnapshotId = await baseSnapshot(cloud);
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId }));
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({}));
  const InstanceId = Reservations?.[0]?.Instances?.[0]?.InstanceId ?? "";
  const before = await cloud.resources();
  await fillDirectory(small.path);

  const refused = async (call: Promise<unknown>, name: string) =>
    expectAwsError(call, { name, message: FULL, status: 400 });
  for (let round = 0; round < 2; round++) {
    await refused(ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId })), "VolumeLimitExceeded");
    await refused(ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 1 })), "VolumeLimitExceeded");
    await refused(ec2.send(new CreateSnapshotCommand({ VolumeId })), "SnapshotLimitExceeded");
    const copy = { SourceRegion: "us-east-1", SourceSnapshotId: SnapshotId };
    await refused(ec2.send(new CopySnapshotCommand(copy)), "SnapshotLimitExceeded");
    await refused(
      ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdy" })),
      "ResourceLimitExceeded",
    );
    const mapping = { DeviceName: "/dev/xvda", Ebs: { SnapshotId } };
    const image = { Name: "full", RootDeviceName: "/dev/xvda", BlockDeviceMappings: [mapping] };
    await refused(ec2.send(new RegisterImageCommand(image)), "ResourceLimitExceeded");
    // Reads work.
    assert.deepEqual(await cloud.resources(), before);
    assert.equal(await stateOfVolume(cloud, VolumeId), "available");
    const identity = await readInstanceIdentity(cloud.environment, { signal: new AbortController().signal });
    assert.equal(identity.instanceId, InstanceId);
    // Also after a restart on the full disk.
    if (round === 0) {
      await cloud.local("stop", "--force");
      const { port } = new URL(cloud.environment["AWS_ENDPOINT_URL"] ?? "");
      await cloud.local("start", "--port", port);
    }
  }
  const build = await buildAsJson(cloud, {}, []);
  assert.equal(build.exitCode, 1, build.output);
  assert.match([build.error?.message, ...(build.error?.causes ?? [])].join("\n"), /store is full/);
  assert.deepEqual(build.made, []);

  // The state has room of its own: small changes are taken, until one of them makes room.
  for (let count = 0; count < 20; count++) {
    const Tags = [{ Key: `note-${count}`, Value: "x".repeat(250) }];
    await ec2.send(new CreateTagsCommand({ Resources: [VolumeId], Tags }));
  }
  await ec2.send(new DeleteVolumeCommand({ VolumeId }));
  assert.equal((await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }))).Snapshots?.length, 1);
  await rm(join(small.path, "filler"));
  const made = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId }));
  assert.equal(await stateOfVolume(cloud, made.VolumeId ?? ""), "available");
  const snapshot = await ec2.send(new CreateSnapshotCommand({ VolumeId: made.VolumeId }));
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshot.SnapshotId }));
  await ec2.send(new DeleteVolumeCommand({ VolumeId: made.VolumeId }));
});

test("a snapshot that the disk takes only a part of is refused, and leaves nothing", async () => {
  await using directory = await temporaryDirectory();
  await using small = await smallFileSystem(join(directory.path, "store"), "200m");
  await using cloud = await startTestCloud({ storeParent: small.path });
  const { ec2 } = cloud;
  const SnapshotId = await baseSnapshot(cloud);
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId }));
  const before = await cloud.resources();
  await writeFile(join(cloud.storeDirectory, "volumes", `${VolumeId}.disk`), randomBytes(16 * MIB), { flag: "r+" });
  const freeBefore = await freeBytes(small.path);
  await fillDirectory(small.path, { leaveBytes: 4 * MIB });
  await expectAwsError(ec2.send(new CreateSnapshotCommand({ VolumeId })), {
    name: "SnapshotLimitExceeded",
    message: FULL,
  });
  assert.deepEqual(await cloud.resources(), before);
  await rm(join(small.path, "filler"));
  // Its blocks are gone too.
  assert.ok((await freeBytes(small.path)) >= freeBefore - MIB);
  await ec2.send(new DeleteVolumeCommand({ VolumeId }));
});
