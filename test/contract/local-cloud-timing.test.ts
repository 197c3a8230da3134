import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DescribeImagesCommand,
  DescribeRegionsCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import { expectAwsError, startCloudFixture } from "../helpers/local-cloud-fixture.ts";
import { startSlowCloud } from "../helpers/slow-cloud.ts";

test("With latency, states take their time: creating, attaching, detaching, pending", async () => {
  await using slow = await startSlowCloud();
  const { fixture, call, pass } = slow;
  const ec2 = fixture.ec2();
  const volume = async () => (await call(ec2.send(new DescribeVolumesCommand({})))).Volumes?.[0];
  const { VolumeId = "" } = await call(ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 })));
  assert.equal((await volume())?.State, "creating");
  await expectAwsError(call(fixture.attach(VolumeId, "/dev/sdf")), {
    name: "IncorrectState",
    message: `${VolumeId} is not 'available'.`,
  });
  await pass(10_000);
  assert.equal((await volume())?.State, "available");

  await call(fixture.attach(VolumeId, "/dev/sdf"));
  assert.equal((await volume())?.Attachments?.[0]?.State, "attaching");
  assert.equal(fixture.storage.attached.size, 0, "the node comes when EC2 says that it is attached, not before");
  await pass(20_000);
  assert.equal((await volume())?.Attachments?.[0]?.State, "attached");
  await call(ec2.send(new DetachVolumeCommand({ VolumeId })));
  assert.equal((await volume())?.Attachments?.[0]?.State, "detaching");
  await pass(20_000);
  assert.equal((await volume())?.State, "available");

  const { SnapshotId = "" } = await call(ec2.send(new CreateSnapshotCommand({ VolumeId })));
  const snapshot = async () =>
    (await call(ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })))).Snapshots?.[0];
  const seen: number[] = [];
  while ((await snapshot())?.State === "pending") {
    seen.push(Number((await snapshot())?.Progress?.replace("%", "")));
    await pass(5_000);
  }
  assert.ok(seen.length > 3, "it takes a while");
  assert.ok(new Set(seen).size > 3 && seen.every((progress) => progress >= 0 && progress < 100), String(seen));
  assert.deepEqual(
    seen,
    [...seen].sort((a, b) => a - b),
    "progress only grows",
  );

  const BlockDeviceMappings = [{ DeviceName: "/dev/sda1", Ebs: { SnapshotId } }];
  const { ImageId = "" } = await call(ec2.send(new RegisterImageCommand({ Name: "image", BlockDeviceMappings })));
  const image = async () => (await call(ec2.send(new DescribeImagesCommand({ ImageIds: [ImageId] })))).Images?.[0];
  assert.equal((await image())?.State, "pending");
  await pass(60_000);
  assert.equal((await image())?.State, "available");
});

test("With latency, a burst is throttled; without, never", async () => {
  await using slow = await startSlowCloud();
  const ec2 = slow.fixture.ec2();
  // None of them is answered before all of them have come: the clock stands still.
  const burst = Array.from({ length: 130 }, () => ec2.send(new DescribeRegionsCommand({})));
  const results = await slow.call(Promise.allSettled(burst));
  const refused = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  assert.ok(refused.length > 0 && refused.length <= 30, `${refused.length} refused`);
  assert.equal(refused[0].name, "RequestLimitExceeded");
  assert.equal(refused[0].message, "Request limit exceeded.");
  assert.equal(refused[0].$metadata.httpStatusCode, 503);
  await using fast = await startCloudFixture();
  const client = fast.ec2();
  await Promise.all(Array.from({ length: 130 }, () => client.send(new DescribeRegionsCommand({}))));
});

test("Closing the cloud does not wait for what takes time, and opening it again settles that", async () => {
  await using slow = await startSlowCloud();
  const { fixture, call } = slow;
  const ec2 = fixture.ec2();
  const make = () => call(ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 })));
  const [attaching, detaching, busy] = [await make(), await make(), await make()];
  slow.clock.advance(20_000);
  await call(ec2.send(new DescribeRegionsCommand({})));
  const ids = [attaching, detaching, busy].map(({ VolumeId = "" }) => VolumeId as never);
  for (const [index, id] of ids.entries()) await call(fixture.attach(id, `/dev/sd${"fgh"[index]}`));
  slow.clock.advance(20_000);
  await call(ec2.send(new DescribeRegionsCommand({})));
  const creating = await make();
  const snapshot = await call(ec2.send(new CreateSnapshotCommand({ VolumeId: ids[0] })));
  // Last, as time goes on by itself while a device in use is tried again and again.
  fixture.storage.busy.add(ids[2] as never);
  await call(ec2.send(new DetachVolumeCommand({ VolumeId: ids[1] })));
  await call(ec2.send(new DetachVolumeCommand({ VolumeId: ids[2] })));
  // As a killed process leaves it: the disks give their devices back when the store is opened.
  fixture.storage.attached.clear();
  fixture.storage.volumes.delete(creating.VolumeId as never);
  await fixture.restart({ latency: "none" });
  const client = fixture.ec2();
  const { Volumes = [] } = await client.send(new DescribeVolumesCommand({}));
  assert.deepEqual(
    Volumes.map(({ State, Attachments }) => [State, Attachments?.[0]?.State]),
    [
      ["in-use", "attached"],
      ["available", undefined],
      ["in-use", "busy"],
      ["available", undefined],
    ],
  );
  assert.deepEqual([...fixture.storage.attached], [[ids[0], "/dev/sdf"]]);
  assert.ok(fixture.storage.volumes.has(creating.VolumeId as never), "its disk was made again");
  const { Snapshots } = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshot.SnapshotId ?? ""] }));
  assert.equal(Snapshots?.[0]?.State, "completed");
  fixture.storage.busy.clear();
});
