import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  type CreateVolumeCommandInput,
  DeleteVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumeStatusCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  type EC2Client,
  paginateDescribeVolumes,
  type Volume,
  waitUntilVolumeAvailable,
  waitUntilVolumeInUse,
} from "@aws-sdk/client-ec2";
import type { VolumeId } from "../../src/base/ids.ts";
import { expectAwsError, startCloudFixture } from "../helpers/local-cloud-fixture.ts";

const ZONE = "us-east-1a";

async function makeVolume(ec2: EC2Client, input: Partial<CreateVolumeCommandInput> = {}): Promise<VolumeId> {
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: 1, ...input }));
  return VolumeId as VolumeId;
}

async function describeOne(ec2: EC2Client, id: string): Promise<Volume> {
  const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [id] }));
  assert.equal(Volumes.length, 1);
  return Volumes[0] ?? {};
}

test("CreateVolume answers creating, and the volume is available when the disk is there", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const created = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: 3 }));
  assert.equal(created.State, "creating");
  assert.match(created.VolumeId ?? "", /^vol-[0-9a-f]{17}$/);
  assert.match(created.$metadata.requestId ?? "", /^[0-9a-f-]{36}$/);
  const volume = await describeOne(ec2, created.VolumeId ?? "");
  assert.equal(volume.State, "available");
  assert.equal(volume.VolumeType, "gp2");
  assert.equal(volume.Iops, 100);
  assert.equal(volume.Encrypted, false);
  assert.equal(volume.SnapshotId, "");
  assert.equal(volume.MultiAttachEnabled, false);
  assert.deepEqual(volume.Attachments, []);
  assert.equal(fixture.storage.volumes.get(created.VolumeId as VolumeId)?.sizeBytes, 3 * 1024 ** 3);
  await waitUntilVolumeAvailable(
    { client: ec2, minDelay: 1, maxDelay: 1, maxWaitTime: 5 },
    { VolumeIds: [created.VolumeId ?? ""] },
  );
});

test("CreateVolume fills in what each type has, and refuses what it cannot have", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const gp3 = await describeOne(ec2, await makeVolume(ec2, { VolumeType: "gp3" }));
  assert.deepEqual([gp3.Iops, gp3.Throughput], [3000, 125]);
  const io2 = await describeOne(ec2, await makeVolume(ec2, { VolumeType: "io2", Size: 4, Iops: 200 }));
  assert.deepEqual([io2.Iops, io2.Throughput], [200, undefined]);
  const gp2 = await describeOne(ec2, await makeVolume(ec2, { Size: 1000 }));
  assert.equal(gp2.Iops, 3000);
  const refused: [Partial<CreateVolumeCommandInput>, string, RegExp][] = [
    [
      { VolumeType: "st1" },
      "InvalidParameterValue",
      /Volume of 1GiB is too small for volume type st1; minimum is 125GiB/,
    ],
    [{ Size: 20_000 }, "InvalidParameterValue", /too large for volume type gp2; maximum is 16384GiB/],
    [{ VolumeType: "io1", Size: 4 }, "MissingParameter", /The parameter iops must be specified for io1 volumes/],
    [{ VolumeType: "io1", Size: 4, Iops: 1000 }, "InvalidParameterCombination", /ratio of 250\.000000 is too high/],
    [{ Iops: 200 }, "InvalidParameterCombination", /The parameter iops is not supported for gp2 volumes/],
    [{ Throughput: 200 }, "InvalidParameterCombination", /throughput is not supported for gp2/],
    [{ VolumeType: "gp3", Throughput: 100 }, "InvalidParameterValue", /Throughput of 100 is too low/],
    [{ VolumeType: "gp3", Throughput: 1000 }, "InvalidParameterCombination", /Throughput \(MiBps\) to iops ratio/],
    [{ VolumeType: "gp3", Iops: 100 }, "InvalidParameterValue", /Volume iops of 100 is too low; minimum is 3000/],
    [{ AvailabilityZone: "us-east-1z" }, "InvalidZone.NotFound", /The zone 'us-east-1z' does not exist/],
    [{ AvailabilityZone: "eu-west-1a" }, "InvalidZone.NotFound", /The zone 'eu-west-1a' does not exist/],
    [{ SnapshotId: "snap-00000000000000000" }, "InvalidSnapshot.NotFound", /The snapshot 'snap-0{17}' does not exist/],
    [{ MultiAttachEnabled: true }, "InvalidParameterCombination", /Multi-Attach/],
    [{ KmsKeyId: "alias/mine" }, "InvalidParameterDependency", /KmsKeyId requires the parameter Encrypted/],
  ];
  for (const [input, name, message] of refused) await expectAwsError(makeVolume(ec2, input), { name, message });
  await expectAwsError(ec2.send(new CreateVolumeCommand({ AvailabilityZone: ZONE })), {
    name: "MissingParameter",
    message: "The request must contain the parameter size/snapshot",
    status: 400,
  });
  const { Volumes } = await ec2.send(new DescribeVolumesCommand({}));
  assert.equal(Volumes?.length, 3, "a refused call leaves nothing");
});

test("CreateVolume from a snapshot takes its size, and not less", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const source = await makeVolume(ec2, { Size: 2 });
  const { SnapshotId = "" } = await ec2.send(new CreateSnapshotCommand({ VolumeId: source }));
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: ZONE, SnapshotId }));
  const volume = await describeOne(ec2, VolumeId);
  assert.deepEqual([volume.Size, volume.SnapshotId], [2, SnapshotId]);
  await expectAwsError(makeVolume(ec2, { SnapshotId, Size: 1 }), {
    name: "InvalidParameterValue",
    message: /is smaller than snapshot/,
  });
});

test("CreateVolume with a ClientToken makes one volume, however often it is sent", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const tags = [{ ResourceType: "volume" as const, Tags: [{ Key: "a", Value: "1" }] }];
  const input = { AvailabilityZone: ZONE, Size: 1, ClientToken: "token-1", TagSpecifications: tags };
  const answers = await Promise.all([1, 2, 3].map(() => ec2.send(new CreateVolumeCommand(input))));
  assert.equal(new Set(answers.map(({ VolumeId }) => VolumeId)).size, 1);
  await fixture.restart();
  const after = await fixture.ec2().send(new CreateVolumeCommand(input));
  assert.equal(after.VolumeId, answers[0]?.VolumeId, "the token is remembered over a restart");
  await expectAwsError(fixture.ec2().send(new CreateVolumeCommand({ ...input, Size: 2 })), {
    name: "IdempotentParameterMismatch",
  });
  await expectAwsError(makeVolume(fixture.ec2(), { ClientToken: "x".repeat(65) }), { name: "InvalidParameterValue" });
});

test("AttachVolume and DetachVolume go through the states of EC2, and the instance shows them", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const id = await makeVolume(ec2);
  const InstanceId = fixture.cloud.instanceId;
  const attaching = await ec2.send(new AttachVolumeCommand({ VolumeId: id, InstanceId, Device: "/dev/sdf" }));
  assert.equal(attaching.State, "attaching");
  assert.equal(fixture.storage.attached.get(id), "/dev/sdf");
  await waitUntilVolumeInUse({ client: ec2, minDelay: 1, maxDelay: 1, maxWaitTime: 5 }, { VolumeIds: [id] });
  const [attachment] = (await describeOne(ec2, id)).Attachments ?? [];
  assert.deepEqual(
    [attachment?.State, attachment?.Device, attachment?.InstanceId, attachment?.DeleteOnTermination],
    ["attached", "/dev/sdf", InstanceId, false],
  );
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: [InstanceId] }));
  const mappings = Reservations?.[0]?.Instances?.[0]?.BlockDeviceMappings ?? [];
  assert.deepEqual(
    mappings.map(({ DeviceName, Ebs }) => [DeviceName, Ebs?.Status, Ebs?.VolumeId === id]),
    [
      ["/dev/xvda", "attached", false],
      ["/dev/sdf", "attached", true],
    ],
  );
  const detaching = await ec2.send(new DetachVolumeCommand({ VolumeId: id, InstanceId, Device: "/dev/sdf" }));
  assert.equal(detaching.State, "detaching");
  assert.equal((await describeOne(ec2, id)).State, "available");
  assert.equal(fixture.storage.attached.size, 0);
});

test("AttachVolume keeps EC2's rules", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const InstanceId = fixture.cloud.instanceId;
  const [first, second] = [await makeVolume(ec2), await makeVolume(ec2)];
  const elsewhere = await makeVolume(ec2, { AvailabilityZone: "us-east-1b" });
  const attach = (VolumeId: string, Device: string, instance: string = InstanceId) =>
    ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId: instance, Device }));
  await attach(first, "/dev/sdf");
  await expectAwsError(attach(first, "/dev/sdg"), {
    name: "VolumeInUse",
    message: `${first} is already attached to an instance`,
  });
  for (const name of ["/dev/sdf", "/dev/xvdf", "sdf"]) {
    await expectAwsError(attach(second, name), {
      name: "InvalidParameterValue",
      message: `Invalid value '${name}' for unixDevice. Attachment point ${name} is already in use`,
    });
  }
  await expectAwsError(attach(second, "/dev/sda"), { name: "InvalidParameterValue", message: /already in use/ });
  await expectAwsError(attach(second, "/dev/nvme1n1"), {
    name: "InvalidParameterValue",
    message: "Value (/dev/nvme1n1) for parameter device is invalid. /dev/nvme1n1 is not a valid EBS device name.",
  });
  await expectAwsError(attach(elsewhere, "/dev/sdg"), { name: "InvalidVolume.ZoneMismatch" });
  await expectAwsError(attach(second, "/dev/sdg", "i-00000000000000000"), { name: "InvalidInstanceID.NotFound" });
  await expectAwsError(attach(second, "/dev/sdg", "host"), { name: "InvalidInstanceID.Malformed" });
  await expectAwsError(attach("vol-00000000000000000", "/dev/sdg"), { name: "InvalidVolume.NotFound" });
  await expectAwsError(attach("volume", "/dev/sdg"), {
    name: "InvalidParameterValue",
    message: "Value (volume) for parameter volumeId is invalid. Expected: 'vol-...'.",
  });
  await expectAwsError(attach("vol-zz", "/dev/sdg"), { name: "InvalidVolumeID.Malformed" });
});

test("AttachVolume refuses a name that another node has on this machine, and leaves the volume available", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const id = await makeVolume(ec2);
  fixture.storage.foreignNodes.add("/dev/sdf");
  const input = { VolumeId: id, InstanceId: fixture.cloud.instanceId, Device: "/dev/sdf" };
  await expectAwsError(ec2.send(new AttachVolumeCommand(input)), {
    name: "InvalidParameterValue",
    message: "Invalid value '/dev/sdf' for unixDevice. Attachment point /dev/sdf is already in use",
  });
  const volume = await describeOne(ec2, id);
  assert.deepEqual([volume.State, volume.Attachments], ["available", []]);
});

for (const [nitro, count] of [
  [true, 26],
  [false, 39],
] as const) {
  test(`AttachVolume answers AttachmentLimitExceeded after ${count} volumes${nitro ? " on Nitro" : ""}`, async () => {
    await using fixture = await startCloudFixture({ nitro });
    const ec2 = fixture.ec2();
    const InstanceId = fixture.cloud.instanceId;
    const letters = "bcdefghijklmnopqrstuvwxyz";
    const names = [...letters].flatMap((letter) => [`/dev/sd${letter}`, `/dev/xvdb${letter}`]);
    const ids = await Promise.all(names.slice(0, count + 1).map(() => makeVolume(ec2)));
    const attached = await Promise.allSettled(
      ids.map((VolumeId, index) => ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: names[index] }))),
    );
    const refusals = attached.flatMap((result) => (result.status === "rejected" ? [result.reason.name] : []));
    assert.deepEqual(refusals, ["AttachmentLimitExceeded"]);
    assert.equal(fixture.storage.attached.size, count);
  });
}

test("DetachVolume of a device in use stays busy until it is free", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const id = await makeVolume(ec2);
  await ec2.send(new AttachVolumeCommand({ VolumeId: id, InstanceId: fixture.cloud.instanceId, Device: "/dev/sdf" }));
  fixture.storage.busy.add(id);
  await ec2.send(new DetachVolumeCommand({ VolumeId: id }));
  const busy = await describeOne(ec2, id);
  assert.deepEqual([busy.State, busy.Attachments?.[0]?.State], ["in-use", "busy"]);
  await expectAwsError(ec2.send(new DeleteVolumeCommand({ VolumeId: id })), { name: "VolumeInUse" });
  await expectAwsError(ec2.send(new DetachVolumeCommand({ VolumeId: id })), { name: "IncorrectState" });
  const forced = await ec2.send(new DetachVolumeCommand({ VolumeId: id, Force: true }));
  assert.equal(forced.State, "detaching");
  fixture.storage.busy.delete(id);
  await waitUntilVolumeAvailable({ client: ec2, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { VolumeIds: [id] });
  assert.equal(fixture.storage.attached.size, 0);
});

test("DetachVolume answers as EC2 for what is not attached, not there, or the root disk", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const id = await makeVolume(ec2);
  await expectAwsError(ec2.send(new DetachVolumeCommand({ VolumeId: id })), {
    name: "IncorrectState",
    message: `Volume '${id}' is in the 'available' state.`,
  });
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({}));
  const root = Reservations?.[0]?.Instances?.[0]?.BlockDeviceMappings?.[0]?.Ebs?.VolumeId ?? "";
  await expectAwsError(ec2.send(new DetachVolumeCommand({ VolumeId: root })), { name: "OperationNotPermitted" });
  await ec2.send(new AttachVolumeCommand({ VolumeId: id, InstanceId: fixture.cloud.instanceId, Device: "/dev/sdf" }));
  await expectAwsError(ec2.send(new DetachVolumeCommand({ VolumeId: id, Device: "/dev/sdg" })), {
    name: "InvalidAttachment.NotFound",
  });
});

test("DeleteVolume removes the disk; an attached volume is in use, a deleted one is not found", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const id = await makeVolume(ec2);
  const InstanceId = fixture.cloud.instanceId;
  await ec2.send(new AttachVolumeCommand({ VolumeId: id, InstanceId, Device: "/dev/sdf" }));
  await expectAwsError(ec2.send(new DeleteVolumeCommand({ VolumeId: id })), {
    name: "VolumeInUse",
    message: `Volume ${id} is currently attached to ${InstanceId}`,
    status: 400,
  });
  await ec2.send(new DetachVolumeCommand({ VolumeId: id }));
  await ec2.send(new DeleteVolumeCommand({ VolumeId: id }));
  assert.equal(fixture.storage.volumes.size, 0);
  await expectAwsError(ec2.send(new DeleteVolumeCommand({ VolumeId: id })), {
    name: "InvalidVolume.NotFound",
    message: `The volume '${id}' does not exist.`,
  });
});

test("DescribeVolumes filters with wildcards, tags and attachments", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const tagged = (value: string) => [{ ResourceType: "volume" as const, Tags: [{ Key: "Name", Value: value }] }];
  const web = await makeVolume(ec2, { TagSpecifications: tagged("web-1") });
  const star = await makeVolume(ec2, { TagSpecifications: tagged("web*"), Size: 2 });
  const plain = await makeVolume(ec2, { VolumeType: "gp3", AvailabilityZone: "us-east-1b" });
  await ec2.send(new AttachVolumeCommand({ VolumeId: web, InstanceId: fixture.cloud.instanceId, Device: "/dev/sdf" }));
  const find = async (...Filters: { Name: string; Values: string[] }[]) => {
    const { Volumes = [] } = await ec2.send(new DescribeVolumesCommand({ Filters }));
    return Volumes.map(({ VolumeId }) => VolumeId);
  };
  assert.deepEqual(await find({ Name: "tag:Name", Values: ["web*"] }), [web, star]);
  assert.deepEqual(await find({ Name: "tag:Name", Values: ["web\\*"] }), [star]);
  assert.deepEqual(await find({ Name: "tag:Name", Values: ["web??"] }), [web]);
  assert.deepEqual(await find({ Name: "tag:Name", Values: ["WEB-1"] }), []);
  assert.deepEqual(await find({ Name: "tag-key", Values: ["Name"] }), [web, star]);
  assert.deepEqual(await find({ Name: "attachment.status", Values: ["attached"] }), [web]);
  assert.deepEqual(await find({ Name: "attachment.device", Values: ["/dev/sd?"] }), [web]);
  assert.deepEqual(await find({ Name: "status", Values: ["available", "creating"] }), [star, plain]);
  assert.deepEqual(await find({ Name: "size", Values: ["1"] }, { Name: "volume-type", Values: ["gp3"] }), [plain]);
  assert.deepEqual(await find({ Name: "availability-zone", Values: ["us-east-1b"] }), [plain]);
  assert.deepEqual(await find({ Name: "encrypted", Values: ["false"] }), [web, star, plain]);
  await expectAwsError(find({ Name: "colour", Values: ["red"] }), {
    name: "InvalidParameterValue",
    message: "The filter 'colour' is invalid",
  });
  await expectAwsError(find({ Name: "size", Values: Array.from({ length: 201 }, () => "1") }), {
    name: "FilterLimitExceeded",
  });
});

test("DescribeVolumes pages: nothing is missed or repeated, and the limits are EC2's", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const ids = await Promise.all(Array.from({ length: 12 }, () => makeVolume(ec2)));
  const seen: (string | undefined)[] = [];
  let pageCount = 0;
  for await (const page of paginateDescribeVolumes({ client: ec2, pageSize: 5 }, {})) {
    pageCount += 1;
    seen.push(...(page.Volumes ?? []).map(({ VolumeId }) => VolumeId));
    // What goes between two pages must not shift the next one.
    if (pageCount === 1) await ec2.send(new DeleteVolumeCommand({ VolumeId: seen[0] }));
  }
  assert.equal(pageCount, 3);
  assert.deepEqual([...seen].sort(), [...ids].sort());
  await expectAwsError(ec2.send(new DescribeVolumesCommand({ MaxResults: 4 })), {
    name: "InvalidParameterValue",
    message: "Value (4) for parameter maxResults is invalid. Expecting a value greater than 5.",
  });
  await expectAwsError(ec2.send(new DescribeVolumesCommand({ MaxResults: 5, VolumeIds: [ids[5] ?? ""] })), {
    name: "InvalidParameterCombination",
  });
  await expectAwsError(ec2.send(new DescribeVolumesCommand({ NextToken: "no token" })), { name: "InvalidNextToken" });
});

test("DescribeVolumeStatus tells that volumes are ok", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const id = await makeVolume(ec2);
  const { VolumeStatuses } = await ec2.send(new DescribeVolumeStatusCommand({ VolumeIds: [id] }));
  assert.equal(VolumeStatuses?.[0]?.VolumeStatus?.Status, "ok");
  assert.equal(VolumeStatuses?.[0]?.AvailabilityZone, ZONE);
  const impaired = { Name: "volume-status.status", Values: ["impaired"] };
  assert.deepEqual((await ec2.send(new DescribeVolumeStatusCommand({ Filters: [impaired] }))).VolumeStatuses, []);
});

test("A volume whose disk cannot be made ends in error, and the operator is told why", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  fixture.storage.failures.set("createVolume", new Error("No space left on device"));
  const id = await makeVolume(ec2);
  assert.equal((await describeOne(ec2, id)).State, "error");
  assert.deepEqual(fixture.reports, [`Cannot make volume "${id}": No space left on device`]);
  await ec2.send(new DeleteVolumeCommand({ VolumeId: id }));
});

test("DryRun checks everything and does nothing", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const DryRun = true;
  await expectAwsError(makeVolume(ec2, { DryRun }), {
    name: "DryRunOperation",
    message: "Request would have succeeded, but DryRun flag is set.",
    status: 412,
  });
  const id = await makeVolume(ec2);
  await expectAwsError(ec2.send(new DeleteVolumeCommand({ VolumeId: id, DryRun })), { name: "DryRunOperation" });
  const attach = { VolumeId: id, InstanceId: fixture.cloud.instanceId, Device: "/dev/sdf", DryRun };
  await expectAwsError(ec2.send(new AttachVolumeCommand(attach)), { name: "DryRunOperation" });
  await expectAwsError(ec2.send(new DescribeVolumesCommand({ DryRun })), { name: "DryRunOperation" });
  await expectAwsError(ec2.send(new DeleteVolumeCommand({ VolumeId: "vol-00000000000000000", DryRun })), {
    name: "InvalidVolume.NotFound",
  });
  assert.equal((await describeOne(ec2, id)).State, "available");
});
