// What the EBS direct APIs refuse, each with its exception, status and reason.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CompleteSnapshotCommand,
  type EBSClient,
  GetSnapshotBlockCommand,
  ListChangedBlocksCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import {
  DescribeSnapshotsCommand,
  DisableEbsEncryptionByDefaultCommand,
  EnableEbsEncryptionByDefaultCommand,
} from "@aws-sdk/client-ec2";
import {
  blockOf,
  completeInput,
  type EbsFixture,
  putBlocks,
  putInput,
  readSnapshot,
  sha256,
  startEbsFixture,
  startSnapshot,
  writeSnapshot,
} from "../helpers/ebs-fixture.ts";
import { expectAwsError } from "../helpers/local-cloud-fixture.ts";

const UNKNOWN = "snap-0123456789abcdef0";

function invalid(reason: string, message?: RegExp) {
  return { name: "ValidationException", status: 400, reason, ...(message === undefined ? {} : { message }) };
}

interface Refusal {
  readonly what: string;
  readonly input: object;
  readonly expected: Parameters<typeof expectAwsError>[1];
}

const VALUE = "INVALID_PARAMETER_VALUE";
const TAG = "INVALID_TAG";

const STARTS: readonly Refusal[] = [
  { what: "no size", input: { VolumeSize: undefined }, expected: invalid(VALUE, /'volumeSize'.* must not be null/) },
  { what: "a size of 0", input: { VolumeSize: 0 }, expected: invalid(VALUE, /greater than or equal to 1/) },
  { what: "more than 64 TiB", input: { VolumeSize: 65_537 }, expected: invalid("INVALID_VOLUME_SIZE") },
  {
    what: "a parent's id that is none",
    input: { ParentSnapshotId: "vol-1" },
    expected: invalid("INVALID_SNAPSHOT_ID"),
  },
  {
    what: "an unknown parent",
    input: { ParentSnapshotId: UNKNOWN },
    expected: { name: "ResourceNotFoundException", status: 404, reason: "SNAPSHOT_NOT_FOUND" },
  },
  { what: "a timeout of 9 minutes", input: { Timeout: 9 }, expected: invalid(VALUE) },
  { what: "a timeout of 4,321 minutes", input: { Timeout: 4_321 }, expected: invalid(VALUE) },
  { what: "a long description", input: { Description: "x".repeat(256) }, expected: invalid(VALUE) },
  { what: "a token with a blank", input: { ClientToken: "a b" }, expected: invalid(VALUE) },
  {
    what: "a key that is none",
    input: { Encrypted: true, KmsKeyArn: "alias/mine" },
    expected: invalid("INVALID_CUSTOMER_KEY"),
  },
  {
    what: "51 tags",
    input: { Tags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: "" })) },
    expected: invalid(TAG),
  },
  { what: "a tag of AWS's", input: { Tags: [{ Key: "aws:x", Value: "" }] }, expected: invalid(TAG) },
  { what: "an empty tag key", input: { Tags: [{ Key: "", Value: "" }] }, expected: invalid(TAG) },
  { what: "a long tag value", input: { Tags: [{ Key: "k", Value: "v".repeat(256) }] }, expected: invalid(TAG) },
  {
    what: "a tag key twice",
    input: { Tags: ["v", "w"].map((Value) => ({ Key: "k", Value })) },
    expected: invalid(TAG),
  },
  {
    what: "a size that is text",
    input: { VolumeSize: "8" },
    expected: { name: "SerializationException", status: 400 },
  },
];

test("StartSnapshot refuses what the model does not allow, and makes nothing", async () => {
  await using cloud = await startEbsFixture();
  for (const { what, input, expected } of STARTS) {
    await expectAwsError(cloud.ebs.send(new StartSnapshotCommand({ VolumeSize: 1, ...input })), expected).catch(
      (cause) => assert.fail(new Error(`${what}: ${cause.message}`, { cause })),
    );
  }
  const parent = await writeSnapshot(cloud.ebs, {}, { VolumeSize: 3 });
  await expectAwsError(startSnapshot(cloud.ebs, { ParentSnapshotId: parent, VolumeSize: 2 }), {
    ...invalid("INVALID_VOLUME_SIZE"),
    message: /2 GiB is smaller than the 3 GiB/,
  });
  const { Snapshots } = await cloud.fixture.ec2().send(new DescribeSnapshotsCommand({}));
  assert.equal(Snapshots?.length, 1);
});

const GIVEN_KEY = "arn:aws:kms:us-east-1:111122223333:key/0f0f0f0f-1111-2222-3333-444444444444";

/** "Encryption outcomes" of the EBS direct APIs: parent, Encrypted, key given, encryption by default; what comes of it. */
const ENCRYPTION = [
  ["unencrypted", undefined, false, false, "unencrypted"],
  ["unencrypted", undefined, false, true, "refused"],
  ["unencrypted", true, false, false, "refused"],
  ["unencrypted", false, false, true, "refused"],
  ["unencrypted", undefined, true, false, "refused"],
  ["unencrypted", true, true, true, "refused"],
  ["encrypted", undefined, false, false, "parent's key"],
  ["encrypted", undefined, false, true, "parent's key"],
  ["encrypted", true, false, false, "refused"],
  ["encrypted", false, false, true, "refused"],
  ["encrypted", undefined, true, true, "refused"],
  ["none", true, false, false, "default key"],
  ["none", true, false, true, "default key"],
  ["none", true, true, false, "given key"],
  ["none", true, true, true, "given key"],
  ["none", false, false, false, "unencrypted"],
  ["none", false, false, true, "refused"],
  ["none", false, true, false, "refused"],
  ["none", false, true, true, "refused"],
  ["none", undefined, false, false, "unencrypted"],
  ["none", undefined, false, true, "default key"],
  ["none", undefined, true, true, "given key"],
  // Not in AWS's table.
  ["none", undefined, true, false, "refused"],
] as const;

test("Encryption comes from the parent, the request and the account's default as AWS's table says", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const ec2 = fixture.ec2();
  const parentKey = `${GIVEN_KEY.slice(0, -4)}5555`;
  const parents = {
    none: undefined,
    unencrypted: await writeSnapshot(ebs, {}),
    encrypted: await writeSnapshot(ebs, {}, { Encrypted: true, KmsKeyArn: parentKey }),
  };
  const { KmsKeyArn: defaultKey } = await ebs.send(new StartSnapshotCommand({ VolumeSize: 1, Encrypted: true }));
  assert.match(defaultKey ?? "", /^arn:aws:kms:us-east-1:\d{12}:key\//);
  const keys = { unencrypted: undefined, "parent's key": parentKey, "default key": defaultKey, "given key": GIVEN_KEY };
  for (const isByDefault of [false, true]) {
    await ec2.send(
      isByDefault ? new EnableEbsEncryptionByDefaultCommand({}) : new DisableEbsEncryptionByDefaultCommand({}),
    );
    for (const [parent, Encrypted, isKeyGiven, byDefault, outcome] of ENCRYPTION) {
      if (byDefault !== isByDefault) continue;
      const ParentSnapshotId = parents[parent];
      const start = new StartSnapshotCommand({
        VolumeSize: 1,
        ...(ParentSnapshotId === undefined ? {} : { ParentSnapshotId }),
        ...(Encrypted === undefined ? {} : { Encrypted }),
        ...(isKeyGiven ? { KmsKeyArn: GIVEN_KEY } : {}),
      });
      const row = `parent ${parent}, Encrypted ${Encrypted}, key ${isKeyGiven}, by default ${byDefault}`;
      const got = await ebs.send(start).catch((error) => {
        assert.deepEqual([error.name, error.Reason], ["ValidationException", VALUE], row);
      });
      if (got === undefined || outcome === "refused") {
        assert.deepEqual([got, outcome], [undefined, "refused"], row);
        continue;
      }
      assert.equal(got.KmsKeyArn, keys[outcome], row);
      const { Snapshots } = await ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [got.SnapshotId ?? ""] }));
      const { Encrypted: isEncrypted, KmsKeyId } = Snapshots?.[0] ?? {};
      assert.deepEqual([isEncrypted, KmsKeyId], [outcome !== "unencrypted", keys[outcome]], row);
    }
  }
});

test("StartSnapshot is done once for a ClientToken, also by calls side by side; other parameters are a conflict", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const request = { ClientToken: "only-one", Description: "d", Tags: [{ Key: "k", Value: "v" }] };
  const ids = await Promise.all(Array.from({ length: 5 }, () => startSnapshot(ebs, request)));
  assert.equal(new Set(ids).size, 1);
  const [id = ""] = ids;
  for (const other of [{ Description: "e" }, { VolumeSize: 2 }, { Tags: [] }, { Timeout: 30 }]) {
    const call = startSnapshot(ebs, { ...request, ...other });
    await expectAwsError(call, { name: "ConflictException", status: 409 });
  }
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 0 }));
  await fixture.restart();
  const again = await fixture.ebs().send(new StartSnapshotCommand({ VolumeSize: 1, ...request }));
  assert.deepEqual([again.SnapshotId, again.Status], [id, "completed"]);
  assert.notEqual(await startSnapshot(fixture.ebs(), { ...request, ClientToken: "another" }), id);
});

test("An account has at most 100 pending snapshots", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const ids = await Promise.all(Array.from({ length: 100 }, () => startSnapshot(ebs)));
  await expectAwsError(startSnapshot(ebs), { name: "ConcurrentLimitExceededException", status: 400 });
  await startSnapshot(fixture.ebs({ region: "us-west-2" }));
  await startSnapshot(fixture.ebs({ credentials: await fixture.otherAccount("222222222222") }));
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: ids[0], ChangedBlocksCount: 0 }));
  await startSnapshot(ebs);
});

const CHECKSUM = sha256(blockOf("other")).toString("base64");

const PUTS: readonly Refusal[] = [
  { what: "a wrong checksum", input: { Checksum: CHECKSUM }, expected: invalid(VALUE, /checksum/) },
  { what: "no checksum", input: { Checksum: undefined }, expected: invalid(VALUE, /'x-amz-Checksum'/) },
  { what: "no algorithm", input: { ChecksumAlgorithm: undefined }, expected: invalid(VALUE) },
  { what: "another algorithm", input: { ChecksumAlgorithm: "MD5" }, expected: invalid(VALUE, /MD5/) },
  { what: "no length", input: { DataLength: undefined }, expected: invalid(VALUE, /'dataLength'/) },
  { what: "another length", input: { DataLength: 4_096 }, expected: invalid(VALUE, /4096/) },
  {
    what: "less data",
    input: { BlockData: Buffer.alloc(4_096) },
    expected: invalid(VALUE, /^Failed to read block data$/),
  },
  { what: "no data", input: { BlockData: Buffer.alloc(0) }, expected: invalid(VALUE, /^Failed to read block data$/) },
  { what: "a progress of 101", input: { Progress: 101 }, expected: invalid(VALUE) },
  { what: "an index beyond the volume", input: { BlockIndex: 2_048 }, expected: invalid("INVALID_BLOCK") },
  { what: "a negative index", input: { BlockIndex: -1 }, expected: invalid(VALUE) },
  { what: "an id that is none", input: { SnapshotId: "snap-xyz" }, expected: invalid("INVALID_SNAPSHOT_ID") },
  { what: "an unknown snapshot", input: { SnapshotId: UNKNOWN }, expected: { name: "ResourceNotFoundException" } },
];

test("PutSnapshotBlock refuses what is not the block it says, and writes nothing", async () => {
  await using cloud = await startEbsFixture();
  const { ebs } = cloud;
  const id = await startSnapshot(ebs);
  for (const { what, input, expected } of PUTS) {
    const command = new PutSnapshotBlockCommand({ ...putInput(id, 1, blockOf("it")), ...input } as never);
    await expectAwsError(ebs.send(command), expected).catch((cause) =>
      assert.fail(new Error(`${what}: ${cause.message}`, { cause })),
    );
  }
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 0 }));
  assert.deepEqual(await readSnapshot(ebs, id), {});
});

test("Two puts of one index at once: the same block is fine, another is a conflict", async () => {
  await using cloud = await startEbsFixture();
  const { ebs } = cloud;
  const id = await startSnapshot(ebs);
  const texts = ["a", "b", "a", "b", "a", "b", "a", "b"];
  const results = await Promise.allSettled(texts.map((text) => putBlocks(ebs, id, { 1: text })));
  const done = texts.filter((_, position) => results[position]?.status === "fulfilled");
  const failed = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  assert.ok(done.length > 0);
  for (const error of failed) assert.equal(error.Reason, "CONFLICTING_BLOCK_UPDATE");
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 1 }));
  assert.ok(done.includes((await readSnapshot(ebs, id))[1] ?? ""));
});

async function completionRefused(ebs: EBSClient, id: string, input: object, reason: string): Promise<void> {
  await expectAwsError(ebs.send(new CompleteSnapshotCommand({ ...completeInput(id, { 1: "a", 5: "b" }), ...input })), {
    name: "ValidationException",
    status: 400,
    reason,
  });
}

test("CompleteSnapshot refuses a wrong count or checksum: the snapshot stays as it is, and can be mended", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const id = await startSnapshot(ebs);
  await putBlocks(ebs, id, { 1: "a", 5: "x" });
  await completionRefused(ebs, id, {}, VALUE);
  await completionRefused(ebs, id, { ChangedBlocksCount: 1 }, VALUE);
  await completionRefused(ebs, id, { ChangedBlocksCount: 3 }, VALUE);
  await completionRefused(ebs, id, { ChangedBlocksCount: -1 }, VALUE);
  await completionRefused(ebs, id, { ChecksumAlgorithm: "MD5" }, VALUE);
  await completionRefused(ebs, id, { ChecksumAggregationMethod: "TREE" }, VALUE);
  const { Snapshots } = await fixture.ec2().send(new DescribeSnapshotsCommand({ SnapshotIds: [id] }));
  assert.equal(Snapshots?.[0]?.State, "pending");
  await putBlocks(ebs, id, { 5: "b" });
  await ebs.send(new CompleteSnapshotCommand(completeInput(id, { 1: "a", 5: "b" })));
  assert.deepEqual(await readSnapshot(ebs, id), { 1: "a", 5: "b" });
  await completionRefused(ebs, id, {}, "INVALID_SNAPSHOT_ID");
  await expectAwsError(putBlocks(ebs, id, { 1: "late" }), invalid("INVALID_SNAPSHOT_ID"));
});

test("Puts beside a completion are in the snapshot or refused, never half", async () => {
  await using cloud = await startEbsFixture();
  const { ebs } = cloud;
  const id = await startSnapshot(ebs);
  const indexes = Array.from({ length: 12 }, (_, index) => index);
  const puts = indexes.map((index) => putBlocks(ebs, id, { [index]: `n${index}` }));
  await Promise.race(puts);
  let isComplete = false;
  for (let count = 1; count <= indexes.length && !isComplete; count++) {
    const complete = new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: count });
    isComplete = await ebs.send(complete).then(
      () => true,
      () => false,
    );
  }
  const results = await Promise.allSettled(puts);
  if (!isComplete) await ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 12 }));
  const done = indexes.filter((index) => results[index]?.status === "fulfilled");
  assert.deepEqual(await readSnapshot(ebs, id), Object.fromEntries(done.map((index) => [index, `n${index}`])));
});

test("Reading refuses ids, numbers and snapshots that are not to be read", async () => {
  await using cloud: EbsFixture = await startEbsFixture();
  const { ebs } = cloud;
  const id = await writeSnapshot(ebs, { 0: "a" });
  const pending = await startSnapshot(ebs);
  const list = (input: object) => ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id, ...input }));
  const compare = (input: object) => ebs.send(new ListChangedBlocksCommand({ SecondSnapshotId: id, ...input }));
  const get = (input: object) => {
    const whole = { SnapshotId: id, BlockIndex: 0, BlockToken: "AAAA", ...input };
    return ebs.send(new GetSnapshotBlockCommand(whole));
  };
  const notFound = { name: "ResourceNotFoundException", status: 404, reason: "SNAPSHOT_NOT_FOUND" };
  await expectAwsError(list({ MaxResults: 99 }), invalid(VALUE, /greater than or equal to 100/));
  await expectAwsError(list({ MaxResults: 10_001 }), invalid(VALUE, /less than or equal to 10000/));
  await expectAwsError(list({ StartingBlockIndex: -1 }), invalid(VALUE));
  await expectAwsError(list({ NextToken: "AAAA" }), invalid("INVALID_PAGE_TOKEN"));
  await expectAwsError(list({ SnapshotId: "ami-1" }), invalid("INVALID_SNAPSHOT_ID"));
  await expectAwsError(list({ SnapshotId: UNKNOWN }), notFound);
  await expectAwsError(list({ SnapshotId: pending }), invalid("INVALID_SNAPSHOT_ID", /not in the completed state/));
  await expectAwsError(compare({}), invalid(VALUE, /'firstSnapshotId'/));
  await expectAwsError(compare({ FirstSnapshotId: UNKNOWN }), notFound);
  await expectAwsError(compare({ FirstSnapshotId: pending }), invalid("INVALID_SNAPSHOT_ID"));
  await expectAwsError(get({}), invalid("INVALID_BLOCK_TOKEN"));
  await expectAwsError(get({ BlockToken: "" }), invalid(VALUE, /'blockToken'/));
  await expectAwsError(get({ BlockIndex: 2_048 }), invalid("INVALID_BLOCK"));
  await expectAwsError(get({ SnapshotId: UNKNOWN }), notFound);
});
