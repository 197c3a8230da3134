// Faults that let the action be done, and what it makes fare badly.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  CopyImageCommand,
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  type EC2Client,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import type { FaultPlan, FaultRule } from "../../src/local-cloud/faults/fault-plan.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { type CloudFixture, expectAwsError, startCloudFixture } from "../helpers/local-cloud-fixture.ts";

const TAG = { Key: "name", Value: "it" };
const NO_FAULTS: FaultPlan = { seed: 1, faults: [] };

function plan(...faults: (Partial<FaultRule> & Pick<FaultRule, "fault">)[]): FaultPlan {
  return { seed: 7, faults: faults.map((rule) => ({ actions: ["*"], ...rule })) };
}

async function createVolume(ec2: EC2Client, ClientToken?: string): Promise<string> {
  const TagSpecifications = [{ ResourceType: "volume" as const, Tags: [TAG] }];
  const input = { AvailabilityZone: "us-east-1a", Size: 1, TagSpecifications };
  const token = ClientToken === undefined ? {} : { ClientToken };
  return (await ec2.send(new CreateVolumeCommand({ ...input, ...token }))).VolumeId ?? "";
}

async function createSnapshot(ec2: EC2Client, VolumeId: string): Promise<string> {
  const TagSpecifications = [{ ResourceType: "snapshot" as const, Tags: [TAG] }];
  return (await ec2.send(new CreateSnapshotCommand({ VolumeId, TagSpecifications }))).SnapshotId ?? "";
}

async function registerImage(ec2: EC2Client, SnapshotId: string): Promise<string> {
  const { ImageId } = await ec2.send(
    new RegisterImageCommand({
      Name: "the image",
      RootDeviceName: "/dev/sda1",
      BlockDeviceMappings: [{ DeviceName: "/dev/sda1", Ebs: { SnapshotId } }],
      TagSpecifications: [{ ResourceType: "image", Tags: [TAG] }],
    }),
  );
  return ImageId ?? "";
}

/** Ids that each of EC2's lists shows, and that a filter on the tag finds. */
async function seen(ec2: EC2Client): Promise<string[]> {
  const Filters = [{ Name: "tag:name", Values: ["it"] }];
  const lists = await Promise.all([
    ec2.send(new DescribeVolumesCommand({})).then(({ Volumes = [] }) => Volumes.map(({ VolumeId }) => VolumeId)),
    ec2.send(new DescribeVolumesCommand({ Filters })).then(({ Volumes = [] }) => Volumes.map((it) => it.VolumeId)),
    ec2.send(new DescribeSnapshotsCommand({})).then(({ Snapshots = [] }) => Snapshots.map((it) => it.SnapshotId)),
    ec2.send(new DescribeImagesCommand({ Filters })).then(({ Images = [] }) => Images.map((it) => it.ImageId)),
    ec2.send(new DescribeTagsCommand({})).then(({ Tags = [] }) => Tags.map((it) => it.ResourceId)),
  ]);
  return [...new Set(lists.flat())].map(String).toSorted();
}

async function startTimed(): Promise<{ fixture: CloudFixture; ec2: EC2Client; clock: FakeClock } & AsyncDisposable> {
  const clock = new FakeClock();
  const fixture = await startCloudFixture({ clock });
  return { fixture, ec2: fixture.ec2(), clock, [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose]() };
}

test("invisible: a volume is unknown to every action for so many seconds, but to its ClientToken", async () => {
  await using timed = await startTimed();
  const { fixture, ec2, clock } = timed;
  fixture.cloud.faults(plan({ fault: "invisible", actions: ["CreateVolume"], first: 1, seconds: 30 }));
  const VolumeId = await createVolume(ec2, "once");
  const other = await createVolume(ec2);
  for (const call of [
    () => ec2.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] })),
    () => ec2.send(new CreateTagsCommand({ Resources: [VolumeId], Tags: [TAG] })),
    () => ec2.send(new CreateSnapshotCommand({ VolumeId })),
    () => ec2.send(new DeleteVolumeCommand({ VolumeId })),
    () => ec2.send(new DetachVolumeCommand({ VolumeId })),
    () => fixture.attach(VolumeId, "/dev/sdf"),
  ]) {
    await expectAwsError(call(), {
      name: "InvalidVolume.NotFound",
      message: `The volume '${VolumeId}' does not exist.`,
    });
  }
  assert.deepEqual(await seen(ec2), [other]);
  assert.equal(await createVolume(ec2, "once"), VolumeId);
  clock.advance(29_000);
  assert.deepEqual(await seen(ec2), [other]);
  clock.advance(1_000);
  assert.deepEqual(await seen(ec2), [VolumeId, other].toSorted());
  await ec2.send(new DeleteVolumeCommand({ VolumeId }));
});

test("invisible: snapshots and images, copies too; their names are taken all the same", async () => {
  await using timed = await startTimed();
  const { fixture, ec2, clock } = timed;
  const volume = await createVolume(ec2);
  fixture.cloud.faults(plan({ fault: "invisible", seconds: 30 }));
  const snapshot = await createSnapshot(ec2, volume);
  await expectAwsError(registerImage(ec2, snapshot), { name: "InvalidSnapshot.NotFound" });
  await expectAwsError(ec2.send(new DeleteSnapshotCommand({ SnapshotId: snapshot })), {
    name: "InvalidSnapshot.NotFound",
  });
  assert.deepEqual(await seen(ec2), [volume]);
  clock.advance(30_000);
  const image = await registerImage(ec2, snapshot);
  await expectAwsError(registerImage(ec2, snapshot), { name: "InvalidAMIName.Duplicate" });
  await expectAwsError(ec2.send(new DescribeImagesCommand({ ImageIds: [image] })), { name: "InvalidAMIID.NotFound" });
  await expectAwsError(ec2.send(new DeregisterImageCommand({ ImageId: image })), { name: "InvalidAMIID.NotFound" });
  assert.deepEqual(await seen(ec2), [volume, snapshot].toSorted());
  clock.advance(30_000);
  const known = [volume, snapshot, image].toSorted();
  assert.deepEqual(await seen(ec2), known);
  const SourceRegion = "us-east-1";
  await ec2.send(new CopySnapshotCommand({ SourceRegion, SourceSnapshotId: snapshot }));
  await ec2.send(new CopyImageCommand({ SourceRegion, SourceImageId: image, Name: "copy" }));
  assert.deepEqual(await seen(ec2), known);
  // An image and its snapshot were one strike.
  assert.deepEqual(
    fixture.cloud.faults().rules.map(({ strikeCount }) => strikeCount),
    [4],
  );
  fixture.cloud.faults(NO_FAULTS);
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({}));
  const { Snapshots = [] } = await ec2.send(new DescribeSnapshotsCommand({}));
  assert.deepEqual([Images.length, Snapshots.length], [2, 3], "clearing shows what was invisible");
});

test("invisible with reset-after: neither the answer nor a list tells of the volume, until it is seen", async () => {
  await using timed = await startTimed();
  const { fixture, ec2, clock } = timed;
  fixture.cloud.faults(plan({ fault: "reset-after", first: 1 }, { fault: "invisible", first: 1, seconds: 30 }));
  await assert.rejects(createVolume(ec2), { code: "ECONNRESET" });
  assert.deepEqual(await seen(ec2), []);
  clock.advance(30_000);
  assert.equal((await seen(ec2)).length, 1);
});

async function attachmentState(ec2: EC2Client): Promise<string> {
  const { Volumes: [volume] = [] } = await ec2.send(new DescribeVolumesCommand({}));
  return `${volume?.State} ${volume?.Attachments?.[0]?.State ?? "-"}`;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(5);
}

test("stuck-attaching: no device, until it is detached, the time is over, or faults are cleared", async () => {
  await using timed = await startTimed();
  const { fixture, ec2, clock } = timed;
  const VolumeId = await createVolume(ec2);
  const attach = () => fixture.attach(VolumeId, "/dev/sdf");
  const state = () => attachmentState(ec2);

  fixture.cloud.faults(plan({ fault: "stuck-attaching" }));
  assert.equal((await attach()).State, "attaching");
  clock.advance(120_000);
  assert.equal(await state(), "in-use attaching");
  assert.equal(fixture.storage.attached.size, 0);
  await expectAwsError(ec2.send(new DeleteVolumeCommand({ VolumeId })), { name: "VolumeInUse" });
  assert.equal((await ec2.send(new DetachVolumeCommand({ VolumeId }))).State, "detaching");
  assert.equal(await state(), "available -");

  fixture.cloud.faults(plan({ fault: "stuck-attaching", seconds: 60 }));
  await attach();
  await ec2.send(new DetachVolumeCommand({ VolumeId }));
  clock.advance(30_000);
  await attach();
  clock.advance(31_000);
  await delay(50);
  assert.equal(await state(), "in-use attaching", "the end of the first wait is not that of the second");
  clock.advance(30_000);
  await until(async () => (await state()) === "in-use attached");
  assert.equal(fixture.storage.attached.get(VolumeId as never), "/dev/sdf");
  await ec2.send(new DetachVolumeCommand({ VolumeId }));

  fixture.cloud.faults(plan({ fault: "stuck-attaching" }));
  await attach();
  fixture.cloud.faults(NO_FAULTS);
  await until(async () => (await state()) === "in-use attached");
});

test("stuck-attaching: the device comes when the cloud is started again", async () => {
  await using fixture = await startCloudFixture({ faults: plan({ fault: "stuck-attaching" }) });
  const VolumeId = await createVolume(fixture.ec2());
  await fixture.attach(VolumeId, "/dev/sdf");
  await fixture.restart({ faults: NO_FAULTS });
  assert.equal(await attachmentState(fixture.ec2()), "in-use attached");
});

test("stuck-detaching: busy with its device, until the time is over or faults are cleared", async () => {
  await using timed = await startTimed();
  const { fixture, ec2, clock } = timed;
  const VolumeId = await createVolume(ec2);
  const state = () => attachmentState(ec2);
  for (const seconds of [60, undefined]) {
    await fixture.attach(VolumeId, "/dev/sdf");
    fixture.cloud.faults(plan({ fault: "stuck-detaching", seconds }));
    assert.equal((await ec2.send(new DetachVolumeCommand({ VolumeId }))).State, "detaching");
    await delay(200);
    assert.equal(await state(), "in-use busy");
    assert.equal(fixture.storage.attached.size, 1);
    await expectAwsError(ec2.send(new DetachVolumeCommand({ VolumeId })), { name: "IncorrectState" });
    await ec2.send(new DetachVolumeCommand({ VolumeId, Force: true }));
    assert.equal(await state(), "in-use busy");
    if (seconds === undefined) fixture.cloud.faults(NO_FAULTS);
    else clock.advance(seconds * 1000);
    await until(async () => (await state()) === "available -");
    assert.equal(fixture.storage.attached.size, 0);
  }
});

test("volume-error: the volume ends in error, cannot be attached, and can be deleted", async () => {
  await using fixture = await startCloudFixture({ faults: plan({ fault: "volume-error" }) });
  const ec2 = fixture.ec2();
  const VolumeId = await createVolume(ec2);
  assert.equal(await attachmentState(ec2), "error -");
  await expectAwsError(fixture.attach(VolumeId, "/dev/sdf"), { name: "IncorrectState" });
  await ec2.send(new DeleteVolumeCommand({ VolumeId }));
  assert.deepEqual(await seen(ec2), []);
});

test("snapshot-error: the snapshot ends in error with a message, is of no use, and can be deleted", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const volume = await createVolume(ec2);
  for (const message of [undefined, "The key is not accessible"]) {
    fixture.cloud.faults(plan({ fault: "snapshot-error", message }));
    const SnapshotId = await createSnapshot(ec2, volume);
    const { Snapshots: [snapshot] = [] } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
    assert.equal(snapshot?.State, "error");
    assert.equal(snapshot?.StateMessage, message ?? "An internal error has occurred");
    await expectAwsError(registerImage(ec2, SnapshotId), { name: "IncorrectState" });
    await ec2.send(new DeleteSnapshotCommand({ SnapshotId }));
  }
  assert.equal(fixture.storage.snapshots.size, 0);
});

test("image-failed: the image ends in failed with a reason, keeps its name, and can be deregistered", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const snapshot = await createSnapshot(ec2, await createVolume(ec2));
  for (const message of [undefined, "No room"]) {
    fixture.cloud.faults(plan({ fault: "image-failed", message }));
    const ImageId = await registerImage(ec2, snapshot);
    const Filters = [{ Name: "state-reason-code", Values: ["Server.InternalError"] }];
    const { Images: [image] = [] } = await ec2.send(new DescribeImagesCommand({ Filters }));
    assert.equal(image?.ImageId, ImageId);
    assert.equal(image?.State, "failed");
    const reason = { Code: "Server.InternalError", Message: message ?? "An internal error has occurred" };
    assert.deepEqual(image?.StateReason, reason);
    await expectAwsError(registerImage(ec2, snapshot), { name: "InvalidAMIName.Duplicate" });
    await ec2.send(new DeregisterImageCommand({ ImageId }));
  }
});
