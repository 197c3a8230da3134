// What faults do to the EBS direct APIs.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CompleteSnapshotCommand,
  type EBSClient,
  GetSnapshotBlockCommand,
  ListChangedBlocksCommand,
  ListSnapshotBlocksCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import { DeleteSnapshotCommand, DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import type { FaultPlan, FaultRule } from "../../src/local-cloud/faults/fault-plan.ts";
import {
  blockOf,
  completeInput,
  getBlock,
  putBlocks,
  readSnapshot,
  sha256,
  startEbsFixture,
  startSnapshot,
  textOf,
  writeSnapshot,
} from "../helpers/ebs-fixture.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { type AwsError, expectAwsError } from "../helpers/local-cloud-fixture.ts";

function plan(...faults: (Partial<FaultRule> & Pick<FaultRule, "fault">)[]): FaultPlan {
  return { seed: 7, faults: faults.map((rule) => ({ actions: ["*"], ...rule })) };
}

/** What became of a call: "done", the name of AWS's error, or the system's code. */
function outcome(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => "done",
    (error: AwsError & { code?: string }) => error.code ?? error.name,
  );
}

async function firstToken(ebs: EBSClient, id: string): Promise<string> {
  const { Blocks } = await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id }));
  return Blocks?.[0]?.BlockToken ?? "";
}

test("Instead of the action: each fault is answered as EBS answers it, and nothing is done", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const id = await startSnapshot(ebs);
  for (const [fault, name, status, reason] of [
    ["throttle", "ThrottlingException", 400, "ACCOUNT_THROTTLED"],
    ["internal-error", "InternalServerException", 500, undefined],
    ["unavailable", "ServiceUnavailable", 503, undefined],
    ["denied", "AccessDeniedException", 403, "UNAUTHORIZED_ACCOUNT"],
    ["expired-credentials", "ExpiredTokenException", 403, undefined],
  ] as const) {
    fixture.cloud.faults(plan({ fault, actions: ["PutSnapshotBlock"] }));
    const expected = { name, status, ...(reason === undefined ? {} : { reason }) };
    await expectAwsError(putBlocks(ebs, id, { 0: fault }), expected);
  }
  fixture.cloud.faults(plan({ fault: "reset-before", actions: ["PutSnapshotBlock"] }));
  assert.equal(await outcome(putBlocks(ebs, id, { 0: "reset" })), "ECONNRESET");
  fixture.cloud.faults(plan({ fault: "throttle", actions: ["StartSnapshot"] }));
  await fixture.sts().send(new GetCallerIdentityCommand({}));
  assert.equal(await outcome(startSnapshot(ebs)), "ThrottlingException");
  fixture.cloud.faults(plan());
  await ebs.send(new CompleteSnapshotCommand(completeInput(id, {})));
  assert.deepEqual(await readSnapshot(ebs, id), {});
});

for (const [fault, code] of [
  ["reset-after", "ECONNRESET"],
  ["error-after", "InternalServerException"],
] as const) {
  test(`${fault}: starts, puts and completions are done, and their answers lost`, async () => {
    await using cloud = await startEbsFixture();
    const { ebs, fixture } = cloud;
    const strike = (action: string) => fixture.cloud.faults(plan({ fault, actions: [action], first: 1 }));
    strike("StartSnapshot");
    const request = new StartSnapshotCommand({ VolumeSize: 1, ClientToken: "only-one" });
    assert.equal(await outcome(ebs.send(request)), code);
    const { SnapshotId: id = "" } = await ebs.send(request);
    strike("PutSnapshotBlock");
    assert.equal(await outcome(putBlocks(ebs, id, { 3: "three" })), code);
    strike("CompleteSnapshot");
    assert.equal(await outcome(ebs.send(new CompleteSnapshotCommand(completeInput(id, { 3: "three" })))), code);
    assert.deepEqual(await readSnapshot(ebs, id), { 3: "three" });
    const { Snapshots } = await fixture.ec2().send(new DescribeSnapshotsCommand({}));
    assert.deepEqual(
      Snapshots?.map(({ SnapshotId, State }) => [SnapshotId, State]),
      [[id, "completed"]],
    );
  });
}

test("reset-during: half of a block goes over the wire, in either direction; a put is not done", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const written = await writeSnapshot(ebs, { 0: "a" });
  const id = await startSnapshot(ebs);
  const token = await firstToken(ebs, written);
  fixture.cloud.faults(plan({ fault: "reset-during", first: 2 }));
  assert.match(await outcome(putBlocks(ebs, id, { 0: "lost" })), /^(ECONNRESET|EPIPE)$/);
  const { BlockData, Checksum } = await ebs.send(
    new GetSnapshotBlockCommand({ SnapshotId: written, BlockIndex: 0, BlockToken: token }),
  );
  assert.equal(Checksum, sha256(blockOf("a")).toString("base64"));
  assert.match(await outcome(Promise.resolve(BlockData?.transformToByteArray())), /ECONNRESET|aborted|Error/);
  assert.equal(fixture.cloud.faults().rules[0]?.strikeCount, 2);
  assert.equal(textOf(await getBlock(ebs, written, 0, token)), "a");
  await ebs.send(new CompleteSnapshotCommand(completeInput(id, {})));
});

test("damaged-block and wrong-checksum: bytes and checksum do not belong together; the next answer is right", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const right = sha256(blockOf("a")).toString("base64");
  const id = await writeSnapshot(ebs, { 0: "a" });
  const token = await firstToken(ebs, id);
  const get = async () => {
    const answer = await ebs.send(new GetSnapshotBlockCommand({ SnapshotId: id, BlockIndex: 0, BlockToken: token }));
    const data = Buffer.from((await answer.BlockData?.transformToByteArray()) ?? []);
    return {
      isData: data.equals(blockOf("a")),
      isLong: data.length === 524_288,
      isChecksum: answer.Checksum === right,
    };
  };
  fixture.cloud.faults(plan({ fault: "damaged-block", first: 1 }, { fault: "wrong-checksum", calls: [2] }));
  assert.deepEqual(await get(), { isData: false, isLong: true, isChecksum: true });
  assert.deepEqual(await get(), { isData: true, isLong: true, isChecksum: false });
  assert.deepEqual(await get(), { isData: true, isLong: true, isChecksum: true });
});

test("expired-token: a token that is good is refused; a first page has none that could be", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  const id = await writeSnapshot(ebs, { 0: "a", 150: "b" });
  const token = await firstToken(ebs, id);
  const pages = { FirstSnapshotId: id, SecondSnapshotId: id, MaxResults: 100 };
  const { NextToken } = await ebs.send(new ListChangedBlocksCommand(pages));
  fixture.cloud.faults(plan({ fault: "expired-token", times: 2 }));
  const name = "ValidationException";
  await expectAwsError(getBlock(ebs, id, 0, token), { name, reason: "INVALID_BLOCK_TOKEN" });
  await ebs.send(new ListChangedBlocksCommand(pages));
  await ebs.send(new ListSnapshotBlocksCommand({ SnapshotId: id }));
  const next = new ListChangedBlocksCommand({ ...pages, NextToken });
  await expectAwsError(ebs.send(next), { name, reason: "INVALID_PAGE_TOKEN" });
  assert.equal(fixture.cloud.faults().rules[0]?.strikeCount, 2);
  await ebs.send(next);
  assert.equal(textOf(await getBlock(ebs, id, 0, token)), "a");
});

test("invisible: what was started is unknown to every action for a while, but to its ClientToken", async () => {
  const clock = new FakeClock();
  await using cloud = await startEbsFixture({ clock });
  const { fixture } = cloud;
  fixture.cloud.faults(plan({ fault: "invisible", actions: ["StartSnapshot"], seconds: 60 }));
  const request = { ClientToken: "once" };
  const id = await startSnapshot(fixture.ebs(), request);
  const notFound = { name: "ResourceNotFoundException", status: 404, reason: "SNAPSHOT_NOT_FOUND" };
  await expectAwsError(putBlocks(fixture.ebs(), id, { 0: "a" }), notFound);
  await expectAwsError(fixture.ebs().send(new CompleteSnapshotCommand(completeInput(id, {}))), notFound);
  await expectAwsError(startSnapshot(fixture.ebs(), { ParentSnapshotId: id }), notFound);
  await expectAwsError(fixture.ec2().send(new DeleteSnapshotCommand({ SnapshotId: id })), {
    name: "InvalidSnapshot.NotFound",
  });
  assert.equal(await startSnapshot(fixture.ebs(), request), id);
  clock.advance(60_000);
  await putBlocks(fixture.ebs(), id, { 0: "a" });
  await fixture.ebs().send(new CompleteSnapshotCommand(completeInput(id, { 0: "a" })));
  assert.deepEqual(await readSnapshot(fixture.ebs(), id), { 0: "a" });
});

test("flickering: what was started is now found and now not, and in the end for good", async () => {
  const clock = new FakeClock();
  await using cloud = await startEbsFixture({ clock });
  const { fixture } = cloud;
  fixture.cloud.faults(plan({ fault: "flickering", actions: ["StartSnapshot"], seconds: 60 }));
  const id = await startSnapshot(fixture.ebs());
  const isFound = () =>
    putBlocks(fixture.ebs(), id, { 0: "a" }).then(
      () => true,
      ({ name }) => {
        assert.equal(name, "ResourceNotFoundException");
        return false;
      },
    );
  const found: boolean[] = [];
  for (let look = 0; look < 20; look++) found.push(await isFound());
  const [first, last] = [found.indexOf(true), found.lastIndexOf(false)];
  assert.ok(first >= 0 && first < last, `found, and then not: ${found}`);
  clock.advance(60_000);
  for (let look = 0; look < 20; look++) assert.ok(await isFound());
});

test("snapshot-error: a completion ends in error, with a reason, and the snapshot is never read", async () => {
  await using cloud = await startEbsFixture();
  const { ebs, fixture } = cloud;
  fixture.cloud.faults(plan({ fault: "snapshot-error", message: "Given key ID is not accessible" }));
  const id = await writeSnapshot(ebs, { 0: "a" });
  const { Snapshots } = await fixture.ec2().send(new DescribeSnapshotsCommand({ SnapshotIds: [id] }));
  const { State, StateMessage } = Snapshots?.[0] ?? {};
  assert.deepEqual([State, StateMessage], ["error", "Given key ID is not accessible"]);
  await expectAwsError(readSnapshot(ebs, id), { name: "ValidationException", reason: "INVALID_SNAPSHOT_ID" });
  await fixture.ec2().send(new DeleteSnapshotCommand({ SnapshotId: id }));
});
