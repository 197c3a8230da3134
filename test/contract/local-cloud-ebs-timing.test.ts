// Uploads that are left alone, delays, and throttles of the EBS direct APIs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import {
  CompleteSnapshotCommand,
  GetSnapshotBlockCommand,
  ListSnapshotBlocksCommand,
  PutSnapshotBlockCommand,
  StartSnapshotCommand,
} from "@aws-sdk/client-ebs";
import { DescribeSnapshotsCommand } from "@aws-sdk/client-ec2";
import type { Clock } from "../../src/base/clock.ts";
import { forEachParallel } from "../../src/base/parallel.ts";
import {
  blockOf,
  completeInput,
  openTestStorage,
  putBlocks,
  putInput,
  readSnapshot,
  startEbsFixture,
  startSnapshot,
  textOf,
} from "../helpers/ebs-fixture.ts";
import { FakeClock } from "../helpers/fake-clock.ts";
import { type CloudFixture, expectAwsError } from "../helpers/local-cloud-fixture.ts";
import { sendSigned } from "../helpers/signed-request.ts";
import { startSlowCloud } from "../helpers/slow-cloud.ts";

const MINUTE_MS = 60_000;

test("A snapshot ends in error when it is not written to or completed for as long as Timeout says", async () => {
  const clock = new FakeClock();
  await using cloud = await startEbsFixture({ clock });
  const { fixture } = cloud;
  const pass = async (minutes: number) => {
    clock.advance(minutes * MINUTE_MS);
    for (let turn = 0; turn < 20; turn++) await setImmediate();
  };
  const id = await startSnapshot(fixture.ebs(), { Timeout: 10 });
  const lasting = await startSnapshot(fixture.ebs());
  const state = async (snapshot: string) => {
    const described = await fixture.ec2().send(new DescribeSnapshotsCommand({ SnapshotIds: [snapshot] }));
    return [described.Snapshots?.[0]?.State, described.Snapshots?.[0]?.StateMessage];
  };
  await pass(9.9);
  await putBlocks(fixture.ebs(), id, { 0: "a" });
  await pass(9.9);
  assert.deepEqual(await state(id), ["pending", undefined]);
  await fixture.restart();
  await pass(9.9);
  assert.deepEqual(await state(id), ["pending", undefined], "a restart begins the time anew");
  await pass(0.1);
  assert.deepEqual(await state(id), ["error", "The snapshot was not written to or completed in time."]);
  const expected = { name: "ValidationException", status: 400, reason: "WRITE_REQUEST_TIMEOUT" };
  await expectAwsError(putBlocks(fixture.ebs(), id, { 0: "a" }), expected);
  await expectAwsError(fixture.ebs().send(new CompleteSnapshotCommand(completeInput(id, { 0: "a" }))), expected);
  await expectAwsError(readSnapshot(fixture.ebs(), id), { name: "ValidationException", reason: "INVALID_SNAPSHOT_ID" });
  assert.deepEqual(await state(lasting), ["pending", undefined]);
  await fixture.ebs().send(new CompleteSnapshotCommand(completeInput(lasting, {})));
  await pass(120);
  assert.deepEqual(await state(lasting), ["completed", undefined]);
});

test("With latency, a completion takes its time, and so does each answer; those side by side take theirs together", async () => {
  await using storage = await openTestStorage("memory");
  await using slow = await startSlowCloud({ storage });
  const { clock, fixture, call, pass } = slow;
  const ebs = fixture.ebs();
  /** Waits until so many answers wait for their time. @returns how long the slowest takes, in milliseconds. */
  const slowestOf = async (count: number) => {
    const waitsMs = () => clock.endsOfWaitsMs.map((endMs) => endMs - clock.now()).filter((waitMs) => waitMs < 1_000);
    while (waitsMs().length < count) await setImmediate();
    return Math.max(...waitsMs());
  };
  const { SnapshotId = "" } = await call(ebs.send(new StartSnapshotCommand({ VolumeSize: 1 })));
  const indexes = Array.from({ length: 30 }, (_, index) => index);
  const put = (index: number) =>
    ebs.send(new PutSnapshotBlockCommand(putInput(SnapshotId, index, blockOf(`${index}`))));
  const puts = indexes.map(put);
  const putMs = await slowestOf(30);
  assert.ok(putMs > 100 && putMs < 500, `the slowest of 30 puts takes ${putMs} ms`);
  await call(Promise.all(puts));
  const complete = new CompleteSnapshotCommand({ SnapshotId, ChangedBlocksCount: 30 });
  assert.equal((await call(ebs.send(complete))).Status, "pending");
  const list = () => call(ebs.send(new ListSnapshotBlocksCommand({ SnapshotId })));
  await expectAwsError(list(), { name: "ValidationException", reason: "INVALID_SNAPSHOT_ID" });
  const described = await call(fixture.ec2().send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] })));
  assert.equal(described.Snapshots?.[0]?.State, "pending");
  await pass(15_000);
  const listMs = clock.now();
  const { Blocks = [] } = await list();
  assert.equal(clock.now() - listMs, 300);
  const gets = Blocks.map((block) => ebs.send(new GetSnapshotBlockCommand({ SnapshotId, ...block } as never)));
  const getMs = await slowestOf(30);
  assert.ok(getMs > 40 && getMs < 300, `the slowest of 30 gets takes ${getMs} ms`);
  const answers = await call(Promise.all(gets));
  const texts = answers.map(async ({ BlockData }) => {
    return textOf(Buffer.from((await BlockData?.transformToByteArray()) ?? []));
  });
  assert.deepEqual(await Promise.all(texts), indexes.map(String));
});

/** Waits are over at once, and take no time. */
function stillClock(): Clock {
  const nowMs = Date.now();
  return { now: () => nowMs, sleep: () => setImmediate() };
}

/** The exceptions, statuses and reasons with which calls are refused, and how often each. */
async function refusals(fixture: CloudFixture, path: string, callCount: number): Promise<Record<string, number>> {
  const { url, credentials } = fixture.cloud;
  const counts: Record<string, number> = {};
  await forEachParallel(Array(callCount).keys(), 16, async () => {
    const answer = await sendSigned(
      { method: "GET", path, query: { blockToken: "AA" } },
      { url, credentials, service: "ebs" },
    );
    const { Reason } = (await answer.json()) as { Reason?: string };
    const refusal = `${answer.headers.get("x-amzn-errortype")} ${answer.status} ${Reason}`;
    counts[refusal] = (counts[refusal] ?? 0) + 1;
  });
  return counts;
}

test("With latency, calls beyond the account's rate are throttled, and so are those beyond a snapshot's", async () => {
  await using cloud = await startEbsFixture({ clock: stillClock(), latency: "aws" });
  const { fixture } = cloud;
  const unknown = "/snapshots/snap-0123456789abcdef0/blocks";
  assert.deepEqual(await refusals(fixture, unknown, 54), {
    "ResourceNotFoundException 404 SNAPSHOT_NOT_FOUND": 50,
    "ThrottlingException 400 ACCOUNT_THROTTLED": 4,
  });
  assert.deepEqual(await refusals(fixture, `${unknown}/0`, 1_004), {
    "ResourceNotFoundException 404 SNAPSHOT_NOT_FOUND": 1_000,
    "RequestThrottledException 400 RESOURCE_LEVEL_THROTTLE": 4,
  });
  // The account's bucket is empty too.
  assert.deepEqual(await refusals(fixture, "/snapshots/snap-0123456789abcdef1/blocks/0", 1), {
    "ThrottlingException 400 ACCOUNT_THROTTLED": 1,
  });
  await fixture.restart({ latency: "none" });
  assert.deepEqual(await refusals(fixture, unknown, 60), { "ResourceNotFoundException 404 SNAPSHOT_NOT_FOUND": 60 });
});
