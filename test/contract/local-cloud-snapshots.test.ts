import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CopyImageCommand,
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteTagsCommand,
  DeleteVolumeCommand,
  DescribeImagesCommand,
  DescribeSnapshotAttributeCommand,
  DescribeSnapshotsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  DisableEbsEncryptionByDefaultCommand,
  type EC2Client,
  EnableEbsEncryptionByDefaultCommand,
  GetEbsDefaultKmsKeyIdCommand,
  GetEbsEncryptionByDefaultCommand,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  paginateDescribeSnapshots,
  paginateDescribeTags,
  RegisterImageCommand,
  ResetSnapshotAttributeCommand,
} from "@aws-sdk/client-ec2";
import { expectAwsError, startCloudFixture } from "../helpers/local-cloud-fixture.ts";

const AvailabilityZone = "us-east-1a";

async function makeVolume(ec2: EC2Client, input = {}): Promise<string> {
  return (await ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 1, ...input }))).VolumeId ?? "";
}

async function makeSnapshot(ec2: EC2Client, input = {}): Promise<string> {
  const VolumeId = await makeVolume(ec2, input);
  return (await ec2.send(new CreateSnapshotCommand({ VolumeId }))).SnapshotId ?? "";
}

async function registerOf(ec2: EC2Client, SnapshotId: string): Promise<string> {
  const BlockDeviceMappings = [{ DeviceName: "/dev/sda1", Ebs: { SnapshotId } }];
  return (await ec2.send(new RegisterImageCommand({ Name: "image", BlockDeviceMappings }))).ImageId ?? "";
}

test("CreateSnapshot answers pending with its tags, and outlives its volume", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const VolumeId = await makeVolume(ec2, { Size: 2 });
  const tags = [{ ResourceType: "snapshot" as const, Tags: [{ Key: "a", Value: "b" }] }];
  const created = await ec2.send(new CreateSnapshotCommand({ VolumeId, Description: "d", TagSpecifications: tags }));
  assert.deepEqual(
    [created.State, created.VolumeId, created.VolumeSize, created.Description, created.OwnerId],
    ["pending", VolumeId, 2, "d", fixture.cloud.accountId],
  );
  await ec2.send(new DeleteVolumeCommand({ VolumeId }));
  const SnapshotIds = [created.SnapshotId ?? ""];
  const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds }));
  assert.deepEqual([Snapshots?.[0]?.State, Snapshots?.[0]?.Progress], ["completed", "100%"]);
  assert.deepEqual(Snapshots?.[0]?.Tags, [{ Key: "a", Value: "b" }]);
  await ec2.send(new DeleteSnapshotCommand({ SnapshotId: SnapshotIds[0] }));
  await expectAwsError(ec2.send(new DeleteSnapshotCommand({ SnapshotId: SnapshotIds[0] })), {
    name: "InvalidSnapshot.NotFound",
    message: `The snapshot '${SnapshotIds[0]}' does not exist.`,
  });
});

test("CreateSnapshot that fails leaves nothing", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const VolumeId = await makeVolume(ec2);
  fixture.storage.failures.set("createSnapshot", new Error("No space left on device"));
  await expectAwsError(ec2.send(new CreateSnapshotCommand({ VolumeId })), { name: "InternalError", status: 500 });
  const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  assert.deepEqual(Snapshots, []);
});

test("CreateSnapshot and DeleteSnapshot answer EC2's errors", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const create = (VolumeId: string, input = {}) => ec2.send(new CreateSnapshotCommand({ VolumeId, ...input }));
  await expectAwsError(create("vol-00000000000000000"), { name: "InvalidVolume.NotFound" });
  const id = await makeVolume(ec2);
  await expectAwsError(create(id, { Description: "x".repeat(256) }), { name: "InvalidParameterValue" });
  await expectAwsError(create(id, { DryRun: true }), { name: "DryRunOperation" });
  await expectAwsError(ec2.send(new DeleteSnapshotCommand({ SnapshotId: "snap-nothex" })), {
    name: "InvalidSnapshotID.Malformed",
  });
});

test("CopySnapshot crosses regions, and says so", async () => {
  await using fixture = await startCloudFixture();
  const [east, west] = [fixture.ec2(), fixture.ec2({ region: "us-west-2" })];
  const SourceSnapshotId = await makeSnapshot(east);
  const copied = await west.send(
    new CopySnapshotCommand({ SourceRegion: "us-east-1", SourceSnapshotId, Description: "copy", Encrypted: true }),
  );
  const { Snapshots } = await west.send(new DescribeSnapshotsCommand({ SnapshotIds: [copied.SnapshotId ?? ""] }));
  const [copy] = Snapshots ?? [];
  assert.deepEqual([copy?.State, copy?.Description, copy?.Encrypted, copy?.VolumeSize], ["completed", "copy", true, 1]);
  assert.match(copy?.KmsKeyId ?? "", /^arn:aws:kms:us-west-2:\d{12}:key\/[0-9a-f-]{36}$/);
  await expectAwsError(west.send(new CopySnapshotCommand({ SourceRegion: "us-west-2", SourceSnapshotId })), {
    name: "InvalidSnapshot.NotFound",
  });
});

test("DescribeSnapshots filters and pages", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const ids: string[] = [];
  for (let index = 0; index < 6; index++) ids.push(await makeSnapshot(ec2, { Size: index + 1 }));
  const seen: (string | undefined)[] = [];
  for await (const page of paginateDescribeSnapshots({ client: ec2, pageSize: 5 }, { OwnerIds: ["self"] })) {
    seen.push(...(page.Snapshots ?? []).map(({ SnapshotId }) => SnapshotId));
  }
  assert.deepEqual(seen, ids);
  const Filters = [
    { Name: "volume-size", Values: ["2", "3"] },
    { Name: "status", Values: ["comp*"] },
  ];
  const found = await ec2.send(new DescribeSnapshotsCommand({ Filters }));
  assert.deepEqual(
    found.Snapshots?.map(({ SnapshotId }) => SnapshotId),
    ids.slice(1, 3),
  );
  const both = new DescribeSnapshotsCommand({ SnapshotIds: ids, MaxResults: 5 });
  await expectAwsError(ec2.send(both), { name: "InvalidParameterCombination" });
  const amazon = await ec2.send(new DescribeSnapshotsCommand({ OwnerIds: ["amazon"] }));
  assert.deepEqual(amazon.Snapshots, []);
});

test("Another account sees, uses and copies exactly what is shared with it", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const account = "222222222222";
  const other = fixture.ec2({ credentials: await fixture.otherAccount(account) });
  const SnapshotId = await makeSnapshot(ec2);
  const ImageId = await registerOf(ec2, SnapshotId);
  const Name = "copy";
  const copy = () => other.send(new CopyImageCommand({ Name, SourceImageId: ImageId, SourceRegion: "us-east-1" }));
  const volume = () => other.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId }));

  assert.deepEqual((await other.send(new DescribeImagesCommand({}))).Images, []);
  assert.deepEqual((await other.send(new DescribeSnapshotsCommand({}))).Snapshots, []);
  await expectAwsError(volume(), { name: "InvalidSnapshot.NotFound" });
  await expectAwsError(copy(), { name: "InvalidAMIID.NotFound" });

  const launch = { LaunchPermission: { Add: [{ UserId: account }] } };
  await ec2.send(new ModifyImageAttributeCommand({ ImageId, ...launch }));
  const images = await other.send(new DescribeImagesCommand({ ExecutableUsers: ["self"] }));
  assert.equal(images.Images?.[0]?.OwnerId, fixture.cloud.accountId);
  await expectAwsError(copy(), { name: "InvalidRequest", message: /access the storage of this ami/ });
  await expectAwsError(other.send(new ModifyImageAttributeCommand({ ImageId, Description: { Value: "mine" } })), {
    name: "AuthFailure",
    status: 403,
  });

  const flat = { OperationType: "add" as const, UserIds: [account] };
  await ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, Attribute: "createVolumePermission", ...flat }));
  const attribute = new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: "createVolumePermission" });
  assert.deepEqual((await ec2.send(attribute)).CreateVolumePermissions, [{ UserId: account }]);
  const shared = await other.send(new DescribeSnapshotsCommand({ RestorableByUserIds: ["self"] }));
  assert.equal(shared.Snapshots?.[0]?.SnapshotId, SnapshotId);
  assert.match((await copy()).ImageId ?? "", /^ami-/);
  const made = await volume();
  await expectAwsError(other.send(new DeleteSnapshotCommand({ SnapshotId })), { name: "UnauthorizedOperation" });
  await expectAwsError(ec2.send(new DeleteVolumeCommand({ VolumeId: made.VolumeId })), {
    name: "InvalidVolume.NotFound",
  });

  await ec2.send(new ResetSnapshotAttributeCommand({ SnapshotId, Attribute: "createVolumePermission" }));
  await expectAwsError(volume(), { name: "InvalidSnapshot.NotFound" });
});

test("ModifySnapshotAttribute takes the nested form; an encrypted snapshot is never public", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const SnapshotId = await makeSnapshot(ec2, { Encrypted: true });
  const modify = (CreateVolumePermission: object) =>
    ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission }));
  await modify({ Add: [{ UserId: "111111111111" }, { UserId: "222222222222" }] });
  await modify({ Remove: [{ UserId: "111111111111" }] });
  const attribute = new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: "createVolumePermission" });
  assert.deepEqual((await ec2.send(attribute)).CreateVolumePermissions, [{ UserId: "222222222222" }]);
  await expectAwsError(modify({ Add: [{ Group: "all" }] }), { name: "InvalidParameterCombination" });
  const codes = new DescribeSnapshotAttributeCommand({ SnapshotId, Attribute: "productCodes" });
  assert.deepEqual((await ec2.send(codes)).ProductCodes, []);
});

test("Encryption by default makes new volumes encrypted, and encrypted content stays so", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const read = async () => (await ec2.send(new GetEbsEncryptionByDefaultCommand({}))).EbsEncryptionByDefault;
  assert.equal(await read(), false);
  const plain = await makeSnapshot(ec2);
  await ec2.send(new EnableEbsEncryptionByDefaultCommand({}));
  assert.equal(await read(), true);
  assert.equal(
    (await fixture.ec2({ region: "eu-west-1" }).send(new GetEbsEncryptionByDefaultCommand({}))).EbsEncryptionByDefault,
    false,
  );
  const made = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId: plain }));
  assert.equal(made.Encrypted, true);
  await ec2.send(new DisableEbsEncryptionByDefaultCommand({}));
  const own = await makeVolume(ec2, { Encrypted: true, KmsKeyId: "alias/mine" });
  const { SnapshotId = "" } = await ec2.send(new CreateSnapshotCommand({ VolumeId: own }));
  const child = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId }));
  assert.deepEqual(
    [child.Encrypted, child.KmsKeyId],
    [true, `arn:aws:kms:us-east-1:${fixture.cloud.accountId}:alias/mine`],
  );
  await expectAwsError(ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId, Encrypted: false })), {
    name: "InvalidParameterCombination",
  });
  assert.equal((await ec2.send(new GetEbsDefaultKmsKeyIdCommand({}))).KmsKeyId, "alias/aws/ebs");
});

test("CreateTags, DescribeTags and DeleteTags work on every kind of resource", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const VolumeId = await makeVolume(ec2);
  const { SnapshotId = "" } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
  const ImageId = await registerOf(ec2, SnapshotId);
  const Resources = [VolumeId, SnapshotId, ImageId];
  const Tags = [
    { Key: "Name", Value: "x y" },
    { Key: "empty", Value: "" },
  ];
  await ec2.send(new CreateTagsCommand({ Resources, Tags }));
  await ec2.send(new CreateTagsCommand({ Resources: [ImageId], Tags: [{ Key: "Name", Value: "new" }] }));
  const described: string[] = [];
  for await (const page of paginateDescribeTags({ client: ec2, pageSize: 5 }, {})) {
    described.push(...(page.Tags ?? []).map(({ ResourceType, Key, Value }) => `${ResourceType} ${Key}=${Value}`));
  }
  assert.deepEqual(described, [
    "volume Name=x y",
    "volume empty=",
    "snapshot Name=x y",
    "snapshot empty=",
    "image Name=new",
    "image empty=",
  ]);
  const filtered = await ec2.send(
    new DescribeTagsCommand({
      Filters: [
        { Name: "resource-type", Values: ["image"] },
        { Name: "key", Values: ["N*"] },
      ],
    }),
  );
  assert.deepEqual(filtered.Tags, [{ Key: "Name", ResourceId: ImageId, ResourceType: "image", Value: "new" }]);
  // With another value it stays, with its own or none it goes.
  await ec2.send(new DeleteTagsCommand({ Resources, Tags: [{ Key: "Name", Value: "x y" }] }));
  await ec2.send(new DeleteTagsCommand({ Resources: [VolumeId], Tags: [{ Key: "empty" }] }));
  await ec2.send(new DeleteTagsCommand({ Resources: [SnapshotId] }));
  const left = await ec2.send(new DescribeTagsCommand({}));
  assert.deepEqual(
    left.Tags?.map(({ ResourceType, Key }) => `${ResourceType} ${Key}`),
    ["image Name", "image empty"],
  );
});

test("Tags keep EC2's rules, in CreateTags and in TagSpecifications", async () => {
  await using fixture = await startCloudFixture();
  const ec2 = fixture.ec2();
  const id = await makeVolume(ec2);
  const tags = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => ({ Key: `k${from + index}`, Value: "v" }));
  const create = (Tags: { Key: string; Value: string }[], resource = id) =>
    ec2.send(new CreateTagsCommand({ Resources: [resource], Tags }));
  await expectAwsError(create([{ Key: "aws:x", Value: "" }]), {
    name: "InvalidParameterValue",
    message: "Tag keys starting with 'aws:' are reserved for internal use",
  });
  await expectAwsError(create([{ Key: "k".repeat(129), Value: "" }]), { name: "InvalidParameterValue" });
  await expectAwsError(create([{ Key: "k", Value: "v".repeat(257) }]), { name: "InvalidParameterValue" });
  await expectAwsError(create([...tags(1), ...tags(1)]), {
    name: "InvalidParameterValue",
    message: "Duplicate tag key 'k0' specified.",
  });
  await create(tags(50));
  await expectAwsError(create(tags(1, 50)), {
    name: "TagLimitExceeded",
    message: "The maximum number of Tags for a resource has been reached.",
  });
  await expectAwsError(create(tags(1), "subnet-12345678"), { name: "InvalidID" });
  await expectAwsError(create(tags(1), "snap-00000000000000000"), { name: "InvalidSnapshot.NotFound" });
  const specified = (...specifications: object[]) => makeVolume(ec2, { TagSpecifications: specifications });
  await expectAwsError(specified({ ResourceType: "instance", Tags: tags(1) }), {
    name: "InvalidParameterValue",
    message: "'instance' is not a valid taggable resource type for this operation.",
  });
  await expectAwsError(specified({ ResourceType: "volume", Tags: tags(51) }), { name: "TagLimitExceeded" });
  const volumeTags = { ResourceType: "volume", Tags: tags(1) };
  await expectAwsError(specified(volumeTags, volumeTags), { name: "InvalidParameterValue" });
  assert.equal((await ec2.send(new DescribeVolumesCommand({}))).Volumes?.length, 1);
});
