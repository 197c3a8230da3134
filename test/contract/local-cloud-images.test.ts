import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CopyImageCommand,
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeregisterImageCommand,
  DescribeImageAttributeCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DisableImageDeprecationCommand,
  DisableImageDeregistrationProtectionCommand,
  type EC2Client,
  EnableImageDeprecationCommand,
  EnableImageDeregistrationProtectionCommand,
  type Image,
  ModifyImageAttributeCommand,
  RegisterImageCommand,
  type RegisterImageCommandInput,
  ResetImageAttributeCommand,
} from "@aws-sdk/client-ec2";
import type { SnapshotId } from "../../src/base/ids.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { expectAwsError, startCloudFixture } from "../helpers/local-cloud-fixture.ts";

async function makeSnapshot(ec2: EC2Client, sizeGib = 1): Promise<SnapshotId> {
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: sizeGib }));
  const { SnapshotId = "" } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
  return SnapshotId as SnapshotId;
}

async function register(ec2: EC2Client, input: Partial<RegisterImageCommandInput> = {}): Promise<string> {
  const newRoot = async () => [{ DeviceName: "/dev/sda1", Ebs: { SnapshotId: await makeSnapshot(ec2) } }];
  const BlockDeviceMappings = input.BlockDeviceMappings ?? (await newRoot());
  const command = new RegisterImageCommand({ Name: "image", ...input, BlockDeviceMappings });
  return (await ec2.send(command)).ImageId ?? "";
}

async function describe(ec2: EC2Client, id: string): Promise<Image> {
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [id] }));
  assert.equal(Images.length, 1);
  return Images[0] ?? {};
}

test("RegisterImage that says nothing makes an i386 paravirtual image without ENA, as EC2 does", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const image = await describe(ec2, await register(ec2));
  assert.match(image.ImageId ?? "", /^ami-[0-9a-f]{17}$/);
  const { Architecture, VirtualizationType, EnaSupport, SriovNetSupport, BootMode, Hypervisor, State } = image;
  assert.deepEqual(
    { Architecture, VirtualizationType, EnaSupport, SriovNetSupport, BootMode, Hypervisor, State },
    {
      Architecture: "i386",
      VirtualizationType: "paravirtual",
      EnaSupport: undefined,
      SriovNetSupport: undefined,
      BootMode: undefined,
      Hypervisor: "xen",
      State: "available",
    },
  );
  assert.equal(image.RootDeviceName, "/dev/sda1");
  assert.equal(image.ImageLocation, `${fixture.cloud.accountId}/image`);
  const { SnapshotId, ...ebs } = image.BlockDeviceMappings?.[0]?.Ebs ?? {};
  assert.match(SnapshotId ?? "", /^snap-/);
  assert.deepEqual(ebs, { DeleteOnTermination: true, VolumeSize: 1, VolumeType: "standard", Encrypted: false });
});

test("RegisterImage keeps everything it is told", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const SnapshotId = await makeSnapshot(ec2);
  const { ImageId = "" } = await ec2.send(
    new RegisterImageCommand({
      Name: "all (of) [it] ./-'@_",
      Description: 'tests <&> "escapes" é',
      Architecture: "x86_64",
      VirtualizationType: "hvm",
      EnaSupport: true,
      SriovNetSupport: "simple",
      BootMode: "uefi",
      TpmSupport: "v2.0",
      ImdsSupport: "v2.0",
      UefiData: "QU1aTlVFRkk=",
      RootDeviceName: "/dev/xvda",
      BlockDeviceMappings: [
        {
          DeviceName: "/dev/xvda",
          Ebs: {
            SnapshotId,
            VolumeSize: 9,
            VolumeType: "gp3",
            Iops: 4000,
            Throughput: 250,
            DeleteOnTermination: false,
          },
        },
        { DeviceName: "/dev/sdb", VirtualName: "ephemeral0" },
        { DeviceName: "/dev/sdc", Ebs: { VolumeSize: 4, VolumeType: "gp2", Encrypted: true } },
        { DeviceName: "/dev/sdd", NoDevice: "" },
      ],
      TagSpecifications: [{ ResourceType: "image", Tags: [{ Key: "a<b", Value: "1 & 2" }] }],
    }),
  );
  const image = await describe(ec2, ImageId);
  assert.equal(image.Name, "all (of) [it] ./-'@_");
  assert.equal(image.Description, 'tests <&> "escapes" é');
  assert.deepEqual(
    [image.Architecture, image.VirtualizationType, image.EnaSupport, image.SriovNetSupport, image.BootMode],
    ["x86_64", "hvm", true, "simple", "uefi"],
  );
  assert.deepEqual([image.TpmSupport, image.ImdsSupport], ["v2.0", "v2.0"]);
  assert.deepEqual(image.Tags, [{ Key: "a<b", Value: "1 & 2" }]);
  assert.deepEqual(image.BlockDeviceMappings, [
    {
      DeviceName: "/dev/xvda",
      Ebs: {
        SnapshotId,
        VolumeSize: 9,
        VolumeType: "gp3",
        Iops: 4000,
        Throughput: 250,
        DeleteOnTermination: false,
        Encrypted: false,
      },
    },
    { DeviceName: "/dev/sdb", VirtualName: "ephemeral0" },
    { DeviceName: "/dev/sdc", Ebs: { VolumeSize: 4, VolumeType: "gp2", DeleteOnTermination: true, Encrypted: true } },
  ]);
  const uefi = await ec2.send(new DescribeImageAttributeCommand({ ImageId, Attribute: "uefiData" }));
  assert.equal(uefi.UefiData?.Value, "QU1aTlVFRkk=");
});

test("RegisterImage refuses what EC2 refuses", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const SnapshotId = await makeSnapshot(ec2, 2);
  const root = (Ebs: object, DeviceName = "/dev/sda1") => ({ BlockDeviceMappings: [{ DeviceName, Ebs }] });
  const first = await register(ec2, { Name: "taken" });
  const refused: [Partial<RegisterImageCommandInput>, string, string | RegExp][] = [
    [{ Name: "taken" }, "InvalidAMIName.Duplicate", `AMI name taken is already in use by AMI ${first}`],
    [{ Name: "ab" }, "InvalidAMIName.Malformed", /between 3 and 128 characters/],
    [{ Name: "a".repeat(129) }, "InvalidAMIName.Malformed", /between 3 and 128 characters/],
    [{ Name: "a:b" }, "InvalidAMIName.Malformed", /may contain letters/],
    [{ BlockDeviceMappings: [] }, "InvalidBlockDeviceMapping", "No root snapshot specified in device mapping."],
    [root({ SnapshotId }, "/dev/xvda"), "InvalidBlockDeviceMapping", "No root snapshot specified in device mapping."],
    [root({ VolumeSize: 1 }), "InvalidBlockDeviceMapping", "No root snapshot specified in device mapping."],
    [root({}), "InvalidBlockDeviceMapping", "Either snapshot ID or volume size must be provided for: /dev/sda1"],
    [
      root({ SnapshotId, VolumeSize: 1 }),
      "InvalidBlockDeviceMapping",
      `Volume of size 1GB is smaller than  snapshot '${SnapshotId}', expect size >= 2GB`,
    ],
    [root({ SnapshotId, Encrypted: false }), "InvalidBlockDeviceMapping", /Parameter encrypted is invalid/],
    [root({ SnapshotId: "snap-0123456789abcdef0" }), "InvalidSnapshot.NotFound", /does not exist/],
    [root({ SnapshotId: "snap" }), "InvalidParameterValue", /Expected: 'snap-\.\.\.'/],
    [{ EnaSupport: true }, "InvalidParameterCombination", /EnaSupport is supported only for HVM/],
    [{ SriovNetSupport: "simple" }, "InvalidParameterCombination", /SriovNetSupport is supported only for HVM/],
    [{ BootMode: "uefi" }, "InvalidParameterCombination", /supported only for HVM/],
    [{ Architecture: "arm64" }, "InvalidParameterCombination", /arm64/],
    [{ VirtualizationType: "hvm", KernelId: "aki-12345678" }, "InvalidParameterCombination", /Kernels and RAM disks/],
    [{ KernelId: "vmlinuz" }, "InvalidParameterValue", /Expected: 'aki-\.\.\.'/],
    [{ VirtualizationType: "hvm", TpmSupport: "v2.0" }, "InvalidParameterCombination", /requires the boot mode 'uefi'/],
    [{ UefiData: "no base64!" }, "InvalidParameterValue", /base64/],
    [{ VirtualizationType: "xen" }, "InvalidParameterValue", /VirtualizationType/],
    [{ ImageLocation: "bucket/manifest.xml" }, "InvalidManifest", /instance store is not supported/],
    [{ BillingProducts: ["bp-12345678"] }, "OperationNotPermitted", /billing product codes/],
    [{ DryRun: true }, "DryRunOperation", /would have succeeded/],
  ];
  for (const [input, name, message] of refused) {
    await expectAwsError(register(ec2, { Name: "new", ...input }), { name, message });
  }
  const { Images } = await ec2.send(new DescribeImagesCommand({ Owners: ["self"] }));
  assert.equal(Images?.length, 1);
});

test("Names of images are unique in an account's region, and free again after deregistration", async () => {
  await using fixture = await startCloudFixture();
  const [east, west] = [fixture.ec2(), fixture.ec2({ region: "us-west-2" })];
  const id = await register(east);
  const { VolumeId } = await west.send(new CreateVolumeCommand({ AvailabilityZone: "us-west-2a", Size: 1 }));
  const { SnapshotId } = await west.send(new CreateSnapshotCommand({ VolumeId }));
  const BlockDeviceMappings = [{ DeviceName: "/dev/sda1", Ebs: { SnapshotId } }];
  await west.send(new RegisterImageCommand({ Name: "image", BlockDeviceMappings }));
  await east.send(new DeregisterImageCommand({ ImageId: id }));
  assert.notEqual(await register(east), id);
  await expectAwsError(east.send(new DescribeImagesCommand({ ImageIds: [id] })), {
    name: "InvalidAMIID.NotFound",
    message: `The image id '[${id}]' does not exist`,
  });
  await expectAwsError(east.send(new DescribeImagesCommand({ ImageIds: ["image"] })), {
    name: "InvalidAMIID.Malformed",
    message: 'Invalid id: "image" (expecting "ami-...")',
  });
});

test("A snapshot that an image uses is in use; DeregisterImage can take its snapshots along", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const SnapshotId = await makeSnapshot(ec2);
  const BlockDeviceMappings = [{ DeviceName: "/dev/sda1", Ebs: { SnapshotId } }];
  const [one, two] = [
    await register(ec2, { BlockDeviceMappings }),
    await register(ec2, { BlockDeviceMappings, Name: "two" }),
  ];
  await expectAwsError(ec2.send(new DeleteSnapshotCommand({ SnapshotId })), {
    name: "InvalidSnapshot.InUse",
    message: `The snapshot ${SnapshotId} is currently in use by ${one}`,
  });
  const deregister = (ImageId: string) =>
    ec2.send(new DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true }));
  assert.deepEqual((await deregister(one)).DeleteSnapshotResults, [{ SnapshotId, ReturnCode: "skipped" }]);
  const last = await deregister(two);
  assert.equal(last.Return, true);
  assert.deepEqual(last.DeleteSnapshotResults, [{ SnapshotId, ReturnCode: "success" }]);
  assert.equal(fixture.storage.snapshots.size, 0);
});

test("DescribeImages filters and pages", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const web = await register(ec2, { Name: "web-1", Architecture: "x86_64", VirtualizationType: "hvm" });
  const old = await register(ec2, { Name: "web-2 [old]", Description: "old" });
  const find = async (...Filters: { Name: string; Values: string[] }[]) => {
    const { Images = [] } = await ec2.send(new DescribeImagesCommand({ Filters }));
    return Images.map(({ ImageId }) => ImageId);
  };
  assert.deepEqual(await find({ Name: "name", Values: ["web-*"] }), [web, old]);
  assert.deepEqual(await find({ Name: "name", Values: ["web-2 [old]"] }), [old]);
  assert.deepEqual(await find({ Name: "virtualization-type", Values: ["hvm"] }), [web]);
  assert.deepEqual(
    await find({ Name: "root-device-type", Values: ["ebs"] }, { Name: "architecture", Values: ["i386"] }),
    [old],
  );
  assert.deepEqual(await find({ Name: "block-device-mapping.volume-size", Values: ["1"] }), [web, old]);
  assert.deepEqual(await find({ Name: "is-public", Values: ["true"] }), []);
  assert.deepEqual(await find({ Name: "description", Values: ["o?d"] }), [old]);
  assert.deepEqual(await find({ Name: "owner-id", Values: [fixture.cloud.accountId] }), [web, old]);
  await expectAwsError(find({ Name: "Name", Values: ["web-1"] }), { name: "InvalidParameterValue" });
  const page = await ec2.send(new DescribeImagesCommand({ MaxResults: 1 }));
  assert.deepEqual([page.Images?.length, typeof page.NextToken], [1, "string"]);
  const rest = await ec2.send(new DescribeImagesCommand({ MaxResults: 1, NextToken: page.NextToken }));
  assert.deepEqual([rest.Images?.[0]?.ImageId, rest.NextToken], [old, undefined]);
  for (const owner of ["amazon", "aws-marketplace", "123456789012"]) {
    assert.deepEqual((await ec2.send(new DescribeImagesCommand({ Owners: [owner] }))).Images, []);
  }
});

test("ModifyImageAttribute changes one attribute a call, in each of its forms", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const ImageId = await register(ec2);
  const modify = (input: object) => ec2.send(new ModifyImageAttributeCommand({ ImageId, ...input }));
  const permissions = async () =>
    (await ec2.send(new DescribeImageAttributeCommand({ ImageId, Attribute: "launchPermission" }))).LaunchPermissions;

  await modify({ Description: { Value: "one" } });
  assert.equal((await describe(ec2, ImageId)).Description, "one");
  await modify({ Attribute: "description", Value: "two" });
  const description = await ec2.send(new DescribeImageAttributeCommand({ ImageId, Attribute: "description" }));
  assert.equal(description.Description?.Value, "two");

  await modify({ LaunchPermission: { Add: [{ UserId: "111111111111" }, { Group: "all" }] } });
  assert.deepEqual(await permissions(), [{ Group: "all" }, { UserId: "111111111111" }]);
  assert.equal((await describe(ec2, ImageId)).Public, true);
  await modify({ LaunchPermission: { Remove: [{ Group: "all" }] } });
  await modify({ Attribute: "launchPermission", OperationType: "add", UserIds: ["222222222222"] });
  assert.deepEqual(await permissions(), [{ UserId: "111111111111" }, { UserId: "222222222222" }]);
  await ec2.send(new ResetImageAttributeCommand({ ImageId, Attribute: "launchPermission" }));
  assert.deepEqual(await permissions(), []);
  const asPackerDoes = { UserIds: ["333333333333"], LaunchPermission: { Add: [{ UserId: "333333333333" }] } };
  await modify(asPackerDoes);
  assert.deepEqual(await permissions(), [{ UserId: "333333333333" }]);

  await modify({ ImdsSupport: { Value: "v2.0" } });
  assert.equal((await describe(ec2, ImageId)).ImdsSupport, "v2.0");
  await modify({ Attribute: "productCodes", ProductCodes: ["abc123"] });
  assert.deepEqual((await describe(ec2, ImageId)).ProductCodes, [
    { ProductCodeId: "abc123", ProductCodeType: "marketplace" },
  ]);

  await expectAwsError(modify({}), { name: "InvalidParameterCombination", message: "No attributes specified." });
  await expectAwsError(modify({ Description: { Value: "x" }, LaunchPermission: { Add: [{ Group: "all" }] } }), {
    name: "InvalidParameterCombination",
  });
  await expectAwsError(modify({ LaunchPermission: { Add: [{ UserId: "me" }] } }), {
    name: "InvalidParameterValue",
    message: 'Invalid user id: "me"',
  });
  await expectAwsError(modify({ LaunchPermission: { Add: [{ Group: "some" }] } }), { name: "InvalidParameterValue" });
  await expectAwsError(modify({ ImdsSupport: { Value: "v1.0" } }), { name: "InvalidParameterValue" });
  await expectAwsError(ec2.send(new DescribeImageAttributeCommand({ ImageId, Attribute: "blockDeviceMapping" })), {
    name: "AuthFailure",
  });
});

test("A deprecated image is hidden from others, unless they ask", async () => {
  const clock = new FakeClock();
  await using fixture = await startCloudFixture({ clock });
  const ec2 = fixture.ec2();
  const ImageId = await register(ec2);
  const inAMinute = new Date(clock.now() + 90_000);
  await ec2.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt: inAMinute }));
  await ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: [{ Group: "all" }] } }));
  const { DeprecationTime = "" } = await describe(ec2, ImageId);
  assert.match(DeprecationTime, /:00\.000Z$/);
  const other = fixture.ec2({ credentials: await fixture.otherAccount("333333333333") });
  const seen = async (input = {}) => (await other.send(new DescribeImagesCommand(input))).Images?.length;
  assert.equal(await seen(), 1);
  clock.advance(180_000);
  assert.equal(await seen(), 0);
  assert.equal(await seen({ IncludeDeprecated: true }), 1);
  assert.equal(await seen({ ImageIds: [ImageId] }), 1);
  assert.equal((await ec2.send(new DescribeImagesCommand({}))).Images?.length, 1, "the owner sees it");
  await ec2.send(new DisableImageDeprecationCommand({ ImageId }));
  assert.equal(await seen(), 1);
  await expectAwsError(ec2.send(new EnableImageDeprecationCommand({ ImageId, DeprecateAt: new Date(0) })), {
    name: "InvalidParameterValue",
  });
});

test("Deregistration protection holds, and with a cooldown for a day longer", async () => {
  const clock = new FakeClock();
  await using fixture = await startCloudFixture({ clock });
  const ImageId = await register(fixture.ec2());
  const ec2 = fixture.ec2();
  const enabled = await ec2.send(new EnableImageDeregistrationProtectionCommand({ ImageId, WithCooldown: true }));
  assert.equal(enabled.Return, "enabled-with-cooldown");
  const deregister = () => ec2.send(new DeregisterImageCommand({ ImageId }));
  await expectAwsError(deregister(), { name: "OperationNotPermitted" });
  await ec2.send(new DisableImageDeregistrationProtectionCommand({ ImageId }));
  assert.match((await describe(ec2, ImageId)).DeregistrationProtection ?? "", /^disabled-in-cooldown-until-/);
  await expectAwsError(deregister(), { name: "OperationNotPermitted" });
  clock.advance(24 * 3_600_000 + 1);
  assert.equal((await describe(fixture.ec2(), ImageId)).DeregistrationProtection, "disabled");
  await fixture.ec2().send(new DeregisterImageCommand({ ImageId }));
});

test("CopyImage makes an image with snapshots of its own, in this or another region", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const tags = [{ ResourceType: "image" as const, Tags: [{ Key: "kept", Value: "1" }] }];
  const source = await register(ec2, { TagSpecifications: tags, Architecture: "x86_64", VirtualizationType: "hvm" });
  const west = fixture.ec2({ region: "us-west-2" });
  const input = {
    Name: "copy",
    Description: "a copy",
    SourceImageId: source,
    SourceRegion: "us-east-1",
    CopyImageTags: true,
    ClientToken: "once",
    TagSpecifications: [{ ResourceType: "snapshot" as const, Tags: [{ Key: "s", Value: "2" }] }],
  };
  const answers = await Promise.all([1, 2].map(() => west.send(new CopyImageCommand(input))));
  const [ImageId = "", again] = answers.map((answer) => answer.ImageId);
  assert.equal(again, ImageId);
  const copy = await describe(west, ImageId);
  assert.deepEqual(
    [copy.Name, copy.Description, copy.Architecture, copy.State, copy.SourceImageId, copy.SourceImageRegion],
    ["copy", "a copy", "x86_64", "available", source, "us-east-1"],
  );
  assert.deepEqual(copy.Tags, [{ Key: "kept", Value: "1" }]);
  const SnapshotId = copy.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "";
  const { Snapshots } = await west.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
  assert.deepEqual([Snapshots?.[0]?.VolumeId, Snapshots?.[0]?.State], ["vol-ffffffff", "completed"]);
  assert.deepEqual(Snapshots?.[0]?.Tags, [{ Key: "s", Value: "2" }]);
  await expectAwsError(west.send(new CopyImageCommand({ ...input, Name: "other" })), {
    name: "IdempotentParameterMismatch",
  });
  await expectAwsError(west.send(new CopyImageCommand({ ...input, ClientToken: "new" })), {
    name: "InvalidAMIName.Duplicate",
  });
  await expectAwsError(west.send(new CopyImageCommand({ ...input, ClientToken: "x", SourceRegion: "mars-1" })), {
    name: "InvalidParameterValue",
  });
  await expectAwsError(
    west.send(new CopyImageCommand({ ...input, ClientToken: "y", SourceImageId: "ami-00000000000000000" })),
    { name: "InvalidAMIID.NotFound" },
  );
});

test("CopyImage that fails half-way leaves no snapshot", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const source = await register(ec2);
  fixture.storage.failures.set("copySnapshot", new Error("No space left on device"));
  const input = { Name: "copy", SourceImageId: source, SourceRegion: "us-east-1" };
  await expectAwsError(ec2.send(new CopyImageCommand(input)), { name: "InternalError", status: 500 });
  const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  assert.equal(Snapshots?.length, 1);
  assert.deepEqual(fixture.reports, ["Cannot answer a request: No space left on device"]);
});

test("Product codes go from an image through its snapshot to volumes, which a running instance cannot attach", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const ImageId = await register(ec2);
  await ec2.send(new ModifyImageAttributeCommand({ ImageId, ProductCodes: ["abc123"] }));
  const SnapshotId = (await describe(ec2, ImageId)).BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "";
  const again = await register(ec2, {
    Name: "again",
    BlockDeviceMappings: [{ DeviceName: "/dev/sda1", Ebs: { SnapshotId } }],
  });
  assert.equal((await describe(ec2, again)).ProductCodes?.[0]?.ProductCodeId, "abc123");
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", SnapshotId }));
  await expectAwsError(fixture.attach(VolumeId, "/dev/sdf"), {
    name: "IncorrectInstanceState",
    message: `Cannot attach volume '${VolumeId}' with Marketplace codes as the instance '${fixture.cloud.instanceId}' is not in the 'stopped' state.`,
  });
  const copied = await ec2.send(new CopySnapshotCommand({ SourceRegion: "us-east-1", SourceSnapshotId: SnapshotId }));
  assert.match(copied.SnapshotId ?? "", /^snap-/);
});
