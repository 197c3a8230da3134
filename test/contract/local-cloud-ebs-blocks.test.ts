// Writing, reading and comparing snapshots by the EBS direct APIs, judged by the AWS SDK.
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
  CopySnapshotCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DescribeSnapshotsCommand,
  DescribeTagsCommand,
  ModifySnapshotAttributeCommand,
  RegisterImageCommand,
} from "@aws-sdk/client-ec2";
import {
  blockOf,
  completeInput,
  getBlock,
  putBlocks,
  putInput,
  readSnapshot,
  sha256,
  startEbsFixture,
  startSnapshot,
  textOf,
  writeSnapshot,
} from "../helpers/ebs-fixture.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { expectAwsError } from "../helpers/local-cloud-fixture.ts";

/** "1: first second" for each changed block, with a dash where there is none. */
async function changes(ebs: EBSClient, first: string, second: string): Promise<string[]> {
  const input = { FirstSnapshotId: first, SecondSnapshotId: second, MaxResults: 10_000 };
  const { ChangedBlocks = [] } = await ebs.send(new ListChangedBlocksCommand(input));
  const lines = ChangedBlocks.map(async ({ BlockIndex = -1, FirstBlockToken, SecondBlockToken }) => {
    const text = async (id: string, token: string | undefined) =>
      token === undefined ? "-" : JSON.stringify((await getBlock(ebs, id, BlockIndex, token)).toString("utf8", 0, 1));
    return `${BlockIndex}: ${await text(first, FirstBlockToken)} ${await text(second, SecondBlockToken)}`;
  });
  return Promise.all(lines);
}

test("What is written is read again, with its checksums; the last put of an index counts", async () => {
  await using cloud = await startEbsFixture();
  const { ebs } = cloud;
  const started = await ebs.send(
    new StartSnapshotCommand({ VolumeSize: 2, Description: "mine", Tags: [{ Key: "a", Value: "" }], Timeout: 10 }),
  );
  const id = started.SnapshotId ?? "";
  assert.match(id, /^snap-0[0-9a-f]{16}$/);
  assert.deepEqual(
    [started.Status, started.OwnerId, started.VolumeSize, started.BlockSize, started.Description, started.Tags],
    ["pending", cloud.fixture.cloud.accountId, 2, 524_288, "mine", [{ Key: "a", Value: "" }]],
  );
  assert.ok(Math.abs((started.StartTime?.getTime() ?? 0) - Date.now()) < 60_000);
  await putBlocks(ebs, id, { 4095: "last", 7: "first try", 0: "zero" });
  const put = await ebs.send(new PutSnapshotBlockCommand(putInput(id, 7, blockOf("seven"))));
  const checksum = sha256(blockOf("seven")).toString("base64");
  assert.deepEqual([put.Checksum, put.ChecksumAlgorithm], [checksum, "SHA256"]);
  const blocks = { 0: "zero", 7: "seven", 4095: "last" };
  const completed = await ebs.send(new CompleteSnapshotCommand(completeInput(id, blocks)));
  assert.deepEqual([completed.Status, completed.$metadata.httpStatusCode], ["pending", 202]);
  assert.deepEqual(await readSnapshot(ebs, id), blocks);

  const { Blocks = [], ...list } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id }));
  assert.deepEqual([list.BlockSize, list.VolumeSize, list.NextToken], [524_288, 2, undefined]);
  const got = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId: id, ...Blocks[1] } as never));
  assert.deepEqual([got.DataLength, got.Checksum, got.ChecksumAlgorithm], [524_288, checksum, "SHA256"]);
});

test("Blocks on disk are read as they are by many at once, also by those that take their time", async () => {
  await using cloud = await startEbsFixture({ blocks: "disk" });
  const { ebs } = cloud;
  const indexes = Array.from({ length: 24 }, (_, index) => index);
  const id = await writeSnapshot(ebs, Object.fromEntries(indexes.map((index) => [index, `block ${index}`])));
  const { Blocks = [] } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id }));
  const slow = Blocks.slice(0, 8).map((block) =>
    ebs.send(new GetSnapshotBlockCommand({ SnapshotId: id, ...block } as never)),
  );
  // Their bodies stand in the sockets, too long for them, while others come and go.
  const waiting = await Promise.all(slow);
  for (let round = 0; round < 2; round++) {
    const read = Blocks.slice(8).map(({ BlockIndex = -1, BlockToken }) => getBlock(ebs, id, BlockIndex, BlockToken));
    assert.deepEqual(
      (await Promise.all(read)).map(textOf),
      indexes.slice(8).map((index) => `block ${index}`),
    );
  }
  const late = waiting.map(async ({ BlockData }) => {
    return textOf(Buffer.from((await BlockData?.transformToByteArray()) ?? []));
  });
  assert.deepEqual(
    await Promise.all(late),
    indexes.slice(0, 8).map((index) => `block ${index}`),
  );
});

test("EC2 shows a snapshot while it is written, and makes volumes and images of it when it is completed", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const ec2 = fixture.ec2();
  const id = await startSnapshot(ebs, { Tags: [{ Key: "made", Value: "here" }], Description: "written" });
  const Filters = [{ Name: "tag:made", Values: ["here"] }];
  const describe = async () => (await ec2.send(new DescribeSnapshotsCommand({ Filters }))).Snapshots?.[0];
  const pending = await describe();
  assert.deepEqual(
    [pending?.SnapshotId, pending?.State, pending?.VolumeId, pending?.VolumeSize, pending?.Progress],
    [id, "pending", "vol-ffffffff", 1, "0%"],
  );
  assert.equal((await ec2.send(new DescribeTagsCommand({}))).Tags?.[0]?.ResourceId, id);
  await ebs.send(new PutSnapshotBlockCommand({ ...putInput(id, 3, blockOf("three")), Progress: 40 }));
  assert.equal((await describe())?.Progress, "40%");
  const volume = new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", SnapshotId: id });
  const BlockDeviceMappings = [{ DeviceName: "/dev/xvda", Ebs: { SnapshotId: id } }];
  const image = new RegisterImageCommand({ Name: "of it", RootDeviceName: "/dev/xvda", BlockDeviceMappings });
  await expectAwsError(ec2.send(volume), { name: "IncorrectState" });
  await expectAwsError(ec2.send(image), { name: "IncorrectState" });
  await ebs.send(new CompleteSnapshotCommand(completeInput(id, { 3: "three" })));
  const completed = await describe();
  assert.deepEqual([completed?.State, completed?.Progress, completed?.Description], ["completed", "100%", "written"]);
  assert.equal((await ec2.send(volume)).SnapshotId, id);
  assert.match((await ec2.send(image)).ImageId ?? "", /^ami-/);
});

test("A snapshot is deleted while it is written, and nothing can be written to it any more", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const id = await startSnapshot(ebs);
  await putBlocks(ebs, id, { 1: "gone" });
  await fixture.ec2().send(new DeleteSnapshotCommand({ SnapshotId: id }));
  assert.deepEqual((await fixture.ec2().send(new DescribeSnapshotsCommand({}))).Snapshots, []);
  for (const call of [
    () => putBlocks(ebs, id, { 2: "late" }),
    () => ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 1 })),
    () => readSnapshot(ebs, id),
  ]) {
    await expectAwsError(call(), { name: "ResourceNotFoundException", status: 404, reason: "SNAPSHOT_NOT_FOUND" });
  }
});

test("A child has its parent's blocks where nothing was put, also when the parent goes meanwhile", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const parent = await writeSnapshot(ebs, { 0: "a", 1: "b", 2: "c", 5: "d" });
  const request = { ParentSnapshotId: parent, VolumeSize: 2 };
  const { SnapshotId: child = "", ...answer } = await ebs.send(new StartSnapshotCommand(request));
  assert.deepEqual([answer.ParentSnapshotId, answer.VolumeSize], [parent, 2]);
  await putBlocks(ebs, child, { 1: "B" });
  await fixture.ec2().send(new DeleteSnapshotCommand({ SnapshotId: parent }));
  await putBlocks(ebs, child, { 2: "", 4000: "e" });
  await ebs.send(new CompleteSnapshotCommand(completeInput(child, { 1: "B", 2: "", 4000: "e" })));
  const content = { 0: "a", 1: "B", 2: "", 5: "d", 4000: "e" };
  assert.deepEqual(await readSnapshot(ebs, child), content);
  const grandchild = await writeSnapshot(ebs, {}, { ParentSnapshotId: child, VolumeSize: 2 });
  assert.deepEqual(await readSnapshot(ebs, grandchild), content);
});

test("ListChangedBlocks compares snapshots of one lineage, in both directions, and no others", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const parent = await writeSnapshot(ebs, { 0: "a", 1: "b", 2: "c" });
  const child = await writeSnapshot(ebs, { 1: "B", 2: "", 3: "d", 0: "a" }, { ParentSnapshotId: parent });
  const sibling = await writeSnapshot(ebs, { 1: "X" }, { ParentSnapshotId: parent });
  assert.deepEqual(await changes(ebs, parent, child), ['1: "b" "B"', '2: "c" "\\u0000"', '3: - "d"']);
  assert.deepEqual(await changes(ebs, child, parent), ['1: "B" "b"', '2: "\\u0000" "c"', '3: "d" -']);
  assert.deepEqual(await changes(ebs, sibling, child), ['1: "X" "B"', '2: "c" "\\u0000"', '3: - "d"']);
  assert.deepEqual(await changes(ebs, child, child), []);
  const twin = await writeSnapshot(ebs, { 0: "a" });
  const ec2 = fixture.ec2();
  const copy = await ec2.send(new CopySnapshotCommand({ SourceRegion: "us-east-1", SourceSnapshotId: parent }));
  for (const stranger of [twin, copy.SnapshotId ?? ""]) {
    await expectAwsError(changes(ebs, parent, stranger), {
      name: "ValidationException",
      status: 400,
      reason: "UNRELATED_SNAPSHOTS",
    });
  }
});

test("A volume carries a lineage on: snapshots of it compare with the one it was made from", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const ec2 = fixture.ec2();
  const AvailabilityZone = "us-east-1a";
  const first = await writeSnapshot(ebs, { 0: "a", 9: "b" });
  const { VolumeId = "" } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, SnapshotId: first }));
  const { SnapshotId: second = "" } = await ec2.send(new CreateSnapshotCommand({ VolumeId }));
  assert.deepEqual(await readSnapshot(ebs, second), { 0: "a", 9: "b" });
  assert.deepEqual(await changes(ebs, first, second), []);
  const third = await writeSnapshot(ebs, { 9: "B" }, { ParentSnapshotId: second });
  assert.deepEqual(await changes(ebs, first, third), ['9: "b" "B"']);
  const blank = await ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 1 }));
  const snapshots = [];
  for (let count = 0; count < 2; count++) {
    const { SnapshotId = "" } = await ec2.send(new CreateSnapshotCommand({ VolumeId: blank.VolumeId ?? "" }));
    snapshots.push(SnapshotId);
  }
  assert.deepEqual(await changes(ebs, snapshots[0] ?? "", snapshots[1] ?? ""), []);
  await expectAwsError(changes(ebs, first, snapshots[0] ?? ""), { name: "ValidationException" });
});

test("Lists come in pages: at least 100 blocks, ascending, from an index on or from where the last page ended", async () => {
  await using cloud = await startEbsFixture();
  const { ebs } = cloud;
  const id = await startSnapshot(ebs);
  const indexes = Array.from({ length: 103 }, (_, position) => position * 2);
  await putBlocks(ebs, id, Object.fromEntries(indexes.map((index) => [index, "same"])));
  await ebs.send(new CompleteSnapshotCommand({ SnapshotId: id, ChangedBlocksCount: 103 }));
  const list = (input: object) => ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id, ...input }));
  const first = await list({});
  assert.equal(first.Blocks?.length, 100, "the default");
  const second = await list({ NextToken: first.NextToken, StartingBlockIndex: 3, MaxResults: 10_000 });
  const seen = [first, second].flatMap(({ Blocks = [] }) => Blocks.map(({ BlockIndex }) => BlockIndex));
  assert.deepEqual([seen, second.NextToken], [indexes, undefined]);
  const from = await list({ StartingBlockIndex: 201 });
  assert.deepEqual([from.Blocks?.[0]?.BlockIndex, from.Blocks?.length], [202, 2]);
  assert.deepEqual((await list({ StartingBlockIndex: 205 })).Blocks, []);
  const again = await list({});
  assert.notEqual(again.NextToken, first.NextToken);
  assert.notEqual(again.Blocks?.[0]?.BlockToken, first.Blocks?.[0]?.BlockToken);
  for (const { BlockToken = "" } of [...(first.Blocks ?? []), ...(again.Blocks ?? [])]) {
    assert.match(BlockToken, /^[A-Za-z0-9+/=]{1,256}$/);
  }
});

test("A page of ListChangedBlocks looks through some indexes: it may be empty and not the last", async () => {
  await using cloud = await startEbsFixture();
  const { ebs } = cloud;
  const parent = await writeSnapshot(ebs, { 0: "a", 450: "b" });
  const child = await writeSnapshot(ebs, { 50: "c", 420: "d" }, { ParentSnapshotId: parent });
  const pages: (number | undefined)[][] = [];
  let NextToken: string | undefined;
  do {
    const more = NextToken === undefined ? {} : { NextToken };
    const input = { FirstSnapshotId: parent, SecondSnapshotId: child, MaxResults: 100, ...more };
    const page = await ebs.send(new ListChangedBlocksCommand(input));
    pages.push((page.ChangedBlocks ?? []).map(({ BlockIndex }) => BlockIndex));
    ({ NextToken } = page);
  } while (NextToken !== undefined);
  assert.deepEqual(pages, [[50], [], [], [], [420]]);
  const from = { FirstSnapshotId: parent, SecondSnapshotId: child, MaxResults: 100, StartingBlockIndex: 400 };
  assert.equal((await ebs.send(new ListChangedBlocksCommand(from))).ChangedBlocks?.[0]?.BlockIndex, 420);
});

test("Block tokens are good for their block of their snapshot, for 7 days and over a restart; page tokens for an hour", async () => {
  const clock = new FakeClock();
  await using cloud = await startEbsFixture({ clock });
  const { fixture } = cloud;
  // A client made now signs with the time that it is then.
  const id = await writeSnapshot(fixture.ebs(), { 0: "x", 1: "y", 150: "z" });
  const other = await writeSnapshot(fixture.ebs(), { 0: "x" }, { ParentSnapshotId: id });
  const list = await fixture.ebs().send(new ListSnapshotBlocksCommand({ SnapshotId: id }));
  assert.equal(list.ExpiryTime?.getTime(), clock.now() + 7 * 24 * 3_600_000);
  const [first, second] = (list.Blocks ?? []).map(({ BlockToken = "" }) => BlockToken);
  const compare = (input: object) => {
    const ids = { FirstSnapshotId: id, SecondSnapshotId: other, MaxResults: 100, ...input };
    return fixture.ebs().send(new ListChangedBlocksCommand(ids));
  };
  const { NextToken } = await compare({});
  const get = (snapshot: string, index: number, token = "") => getBlock(fixture.ebs(), snapshot, index, token);
  const refused = { name: "ValidationException", status: 400, reason: "INVALID_BLOCK_TOKEN" };
  await expectAwsError(get(id, 0, second), refused);
  await expectAwsError(get(other, 0, first), refused);
  await expectAwsError(get(id, 0, NextToken), refused);
  await expectAwsError(get(id, 0, `${first}AAAA`), refused);
  await expectAwsError(get(id, 0, "made/up="), refused);
  const refusedPage = { name: "ValidationException", status: 400, reason: "INVALID_PAGE_TOKEN" };
  await expectAwsError(compare({ NextToken: first }), refusedPage);
  await expectAwsError(compare({ NextToken, FirstSnapshotId: other }), refusedPage);
  const asOther = new ListSnapshotBlocksCommand({ SnapshotId: other, NextToken });
  await expectAwsError(fixture.ebs().send(asOther), refusedPage);

  await fixture.restart();
  clock.advance(3_599_000);
  assert.deepEqual((await compare({ NextToken })).ChangedBlocks, []);
  clock.advance(1_000);
  await expectAwsError(compare({ NextToken }), refusedPage);
  clock.advance(7 * 24 * 3_600_000 - 3_600_000 - 1);
  assert.equal(textOf(await get(id, 0, first)), "x");
  clock.advance(1);
  await expectAwsError(get(id, 0, first), refused);
});

test("Others read what was shared with them by name; never what is private or public, and they write to neither", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const others = fixture.ebs({ credentials: await fixture.otherAccount("222222222222") });
  const id = await writeSnapshot(ebs, { 0: "mine" });
  const pending = await startSnapshot(ebs);
  const denied = { name: "AccessDeniedException", status: 403, reason: "UNAUTHORIZED_ACCOUNT" };
  const share = (change: object) =>
    fixture.ec2().send(new ModifySnapshotAttributeCommand({ SnapshotId: id, CreateVolumePermission: change }));
  await expectAwsError(readSnapshot(others, id), denied);
  await share({ Add: [{ Group: "all" }] });
  await expectAwsError(readSnapshot(others, id), denied);
  assert.deepEqual(await readSnapshot(ebs, id), { 0: "mine" }, "the owner may");
  await share({ Add: [{ UserId: "222222222222" }] });
  assert.deepEqual(await readSnapshot(others, id), { 0: "mine" });
  await expectAwsError(startSnapshot(others, { ParentSnapshotId: id }), denied);
  await expectAwsError(putBlocks(others, pending, { 0: "theirs" }), denied);
  await expectAwsError(
    others.send(new CompleteSnapshotCommand({ SnapshotId: pending, ChangedBlocksCount: 0 })),
    denied,
  );
  await expectAwsError(readSnapshot(fixture.ebs({ region: "us-west-2" }), id), { name: "ResourceNotFoundException" });
});
