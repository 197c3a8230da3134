// Disks go up and come down as they were, whatever the local cloud does to the calls.
import assert from "node:assert/strict";
import { open, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { systemClock } from "../../src/base/clock.ts";
import type { SnapshotId } from "../../src/base/ids.ts";
import { NEVER } from "../../src/base/never.ts";
import { listUploads, uploadDirectory } from "../../src/snapshot-transfer/interrupted-uploads.ts";
import { openUploadLog } from "../../src/snapshot-transfer/upload-log.ts";
import { verifySnapshot } from "../../src/snapshot-transfer/verify-snapshot.ts";
import { type RunningCli, runAmibake } from "../helpers/amibake-cli.ts";
import { assertSameDisk, startTransferFixture, type TransferFixture } from "../helpers/transfer-fixture.ts";

const BLOCKS = 50;

async function assertRoundTrip(transfer: TransferFixture, snapshotId: SnapshotId): Promise<void> {
  const target = join(transfer.directory, "back.raw");
  await transfer.download(snapshotId, target);
  await assertSameDisk(transfer.path, target);
  await rm(target);
}

test("a sparse disk comes back bit by bit, as sparse as it was, and verifies", async () => {
  await using transfer = await startTransferFixture(BLOCKS);
  const snapshotId = await transfer.upload();
  assert.equal(transfer.puts.length, BLOCKS);
  const target = join(transfer.directory, "back.raw");
  await transfer.download(snapshotId, target);
  await assertSameDisk(transfer.path, target);
  const [original, copy] = await Promise.all([stat(transfer.path), stat(target)]);
  assert.ok(copy.blocks * 512 < original.blocks * 512 + BLOCKS * 131_072, `${copy.blocks} for ${original.blocks}`);
  const manifest = await transfer.manifests.read(snapshotId);
  assert.ok(manifest !== undefined);
  const { ebs } = transfer;
  const verified = await verifySnapshot({
    snapshotId,
    manifest,
    ebs,
    signal: NEVER,
    clock: systemClock,
    emit: () => {},
  });
  assert.deepEqual([verified.isSame, verified.blockCount], [true, BLOCKS]);
  assert.deepEqual(transfer.retries, []);
});

for (const [what, ...rules] of [
  ["throttling of half of all calls", { fault: "throttle", share: 0.5 }],
  ["bursts of throttling", { fault: "throttle", share: 0.1, burst: 4 }],
  ["server errors", { fault: "internal-error", share: 0.3 }],
  ["an EBS that is unavailable at times", { fault: "unavailable", share: 0.3 }],
  ["connections that break before the call", { fault: "reset-before", share: 0.3 }],
  ["connections that break in the middle of blocks", { fault: "reset-during", share: 0.3 }],
  ["answers that are lost", { fault: "reset-after", share: 0.3 }],
  ["errors after the work is done", { fault: "error-after", share: 0.3 }],
  ["damaged blocks", { fault: "damaged-block", share: 0.4 }],
  ["wrong checksums", { fault: "wrong-checksum", share: 0.4 }],
  ["tokens that expire", { fault: "expired-token", actions: ["GetSnapshotBlock"], calls: [5, 6, 7, 30] }],
  ["a snapshot that EBS shows now and now not", { fault: "flickering", actions: ["StartSnapshot"], seconds: 3 }],
  ["a snapshot that EBS shows late", { fault: "invisible", actions: ["StartSnapshot"], seconds: 1 }],
  [
    "all of it",
    { fault: "throttle", share: 0.1 },
    { fault: "reset-during", share: 0.1 },
    { fault: "damaged-block", share: 0.1 },
    { fault: "wrong-checksum", share: 0.1 },
    { fault: "reset-after", share: 0.1 },
    { fault: "expired-token", actions: ["GetSnapshotBlock"], calls: [9] },
  ],
] as const) {
  test(`a disk comes back bit by bit through ${what}`, async () => {
    await using transfer = await startTransferFixture(BLOCKS);
    transfer.strike(...rules);
    const snapshotId = await transfer.upload();
    // Who has not made it does not wait for it to be shown.
    await delay(1000 * Math.max(0, ...rules.map((rule) => ("seconds" in rule ? rule.seconds : 0))));
    await assertRoundTrip(transfer, snapshotId);
    const strikes = transfer.fixture.cloud.faults().rules.map(({ strikeCount }) => strikeCount);
    assert.ok(
      strikes.every((count) => count > 0),
      `the faults did not strike: ${strikes}`,
    );
    assert.equal((await transfer.manifests.read(snapshotId))?.blocks.count, BLOCKS);
  });
}

test("what is damaged each time ends in an error, and in no file", async () => {
  await using transfer = await startTransferFixture(BLOCKS);
  const snapshotId = await transfer.upload();
  const target = join(transfer.directory, "back.raw");
  transfer.strike({ fault: "damaged-block", from: 20 });
  await assert.rejects(transfer.download(snapshotId, target), { awsCode: "DamagedOnTheWay" });
  await assert.rejects(stat(target), { code: "ENOENT" });
  transfer.strike();
  await transfer.download(snapshotId, target);
  await assertSameDisk(transfer.path, target);
});

test("a right that is missing ends an upload at once, and the next one goes on", async () => {
  await using transfer = await startTransferFixture(BLOCKS);
  transfer.strike({ fault: "denied", actions: ["PutSnapshotBlock"], from: 25 });
  await assert.rejects(transfer.upload(), { awsCode: "AccessDeniedException" });
  assert.equal(transfer.puts.length, 24);
  transfer.strike();
  const snapshotId = await transfer.upload();
  assert.deepEqual(
    [...transfer.puts].sort((a, b) => a - b),
    [...new Set(transfer.puts)].sort((a, b) => a - b),
    "each block once",
  );
  await assertRoundTrip(transfer, snapshotId);
});

test("a snapshot that EBS gives up while it is sealed is an error with EBS's reason", async () => {
  await using transfer = await startTransferFixture(3);
  transfer.strike({ fault: "snapshot-error", message: "Given key ID is not accessible" });
  await assert.rejects(transfer.upload(), {
    code: "ERR_SNAPSHOT_FAILED",
    message: /its state is error: Given key ID is not accessible$/,
  });
  transfer.strike();
  await assertRoundTrip(transfer, await transfer.upload());
});

test("a child has only the changes put, and comes back whole", async () => {
  await using transfer = await startTransferFixture(BLOCKS);
  const parentSnapshotId = await transfer.upload();
  transfer.puts.length = 0;
  {
    await using file = await open(transfer.path, "r+");
    await file.write("changed", 0);
    // What has content becomes zeros, which are content where the parent has other.
    await file.write(Buffer.alloc(524_288 * 2), 0, 524_288 * 2, Math.floor(2048 / BLOCKS) * 524_288);
  }
  const snapshotId = await transfer.upload({ plan: { description: "", tags: {}, parentSnapshotId } });
  assert.deepEqual(
    [...transfer.puts].sort((a, b) => a - b),
    [0, Math.floor(2048 / BLOCKS)],
  );
  await assertRoundTrip(transfer, snapshotId);
});

test("an upload that is killed goes on, and sends no block again that EBS had acknowledged", async () => {
  await using transfer = await startTransferFixture(200);
  const { environment: env, puts } = transfer;
  const command = ["snapshot", "upload", transfer.path, "--json"];
  // Slow enough to be killed in the middle.
  transfer.strike({ fault: "slow", actions: ["PutSnapshotBlock"], seconds: 0.2 });
  let acknowledged = new Set<number>();
  for (let run = 1; run <= 2; run++) {
    puts.length = 0;
    const killed = await runAmibake(command, { env, onStart: (child) => killWhen(() => puts.length >= 60, child) });
    assert.equal(killed.signal, "SIGKILL", killed.stderr);
    assertNoneOf(acknowledged, puts);
    acknowledged = await acknowledgedBlocks(env["AMIBAKE_STATE_DIR"] ?? "");
    assert.ok(acknowledged.size >= run * 30, `${acknowledged.size} blocks are in the log`);
  }
  puts.length = 0;
  const finished = await runAmibake(command, { env });
  assert.equal(finished.exitCode, 0, finished.stderr);
  assertNoneOf(acknowledged, puts);
  const { snapshotId, writtenBlocks } = JSON.parse(finished.stdout.trim().split("\n").at(-1) ?? "");
  assert.equal(writtenBlocks, 200);
  await assertRoundTrip(transfer, snapshotId);
});

function killWhen(isTime: () => boolean, child: RunningCli): void {
  const look = setInterval(() => {
    if (!isTime()) return;
    clearInterval(look);
    child.kill("SIGKILL");
  }, 5);
}

function assertNoneOf(acknowledged: ReadonlySet<number>, puts: readonly number[]): void {
  assert.deepEqual(
    puts.filter((index) => acknowledged.has(index)),
    [],
    "acknowledged blocks were sent again",
  );
}

/** What the log of the only upload has. */
async function acknowledgedBlocks(stateDirectory: string): Promise<Set<number>> {
  const uploads = uploadDirectory(stateDirectory);
  const [id = ""] = await listUploads(uploads);
  await using log = await openUploadLog(uploads, id);
  return new Set(log?.earlier?.started?.blocks.sorted().indexes());
}
