import assert from "node:assert/strict";
import { mkdtemp, open, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeEbs } from "../../../test/helpers/fake-ebs.ts";
import { skippingClock } from "../../../test/helpers/skipping-clock.ts";
import { AwsError } from "../../aws/aws-error.ts";
import type { Ec2Api } from "../../aws/ec2-api.ts";
import { NEVER } from "../../base/never.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { countInterruptedUploads, uploadDirectory } from "../../snapshot-transfer/interrupted-uploads.ts";
import { manifestStore } from "../../snapshot-transfer/manifest-store.ts";
import { uploadFile } from "../../snapshot-transfer/upload-file.ts";
import { openUploadLog } from "../../snapshot-transfer/upload-log.ts";
import type { CleanEvent } from "./clean-events.ts";
import { type CleanUploadsOptions, cleanUploads, forgetUpload } from "./clean-uploads.ts";

/** An account, and an upload of three blocks that stops at the call that is named. */
async function openFixture(stop: { readonly at: string; readonly isLost?: boolean }) {
  const directory = await mkdtemp(join(tmpdir(), "amibake-clean-"));
  const path = join(directory, "disk.raw");
  {
    await using file = await open(path, "w");
    for (const index of [0, 1, 2]) await file.write(`block ${index}`, index * SNAPSHOT_BLOCK_BYTES);
  }
  const ebs = new FakeEbs();
  const ec2 = ebs.ec2 as unknown as Ec2Api;
  const clock = skippingClock();
  const start = ebs.startSnapshot.bind(ebs);
  if (stop.isLost) {
    ebs.startSnapshot = async (plan) => {
      await start(plan);
      throw new AwsError("StartSnapshot", "TimeoutError", "no answer");
    };
  }
  ebs.before = (call) => {
    if (call === stop.at) throw new AwsError(call, "AccessDeniedException", "no");
  };
  const upload = uploadFile({
    path,
    plan: { description: "", tags: {} },
    place: { accountId: "123456789012", region: "us-east-1" },
    ebs,
    ec2,
    manifests: manifestStore({ AMIBAKE_STATE_DIR: directory }),
    stateDirectory: directory,
    signal: NEVER,
    clock,
    emit: () => {},
  });
  await assert.rejects(upload);
  ebs.startSnapshot = start;
  ebs.before = () => {};
  const uploads = uploadDirectory(directory);
  const events: CleanEvent[] = [];
  return {
    path,
    clock,
    ebs,
    uploads,
    events,
    clean: (changes: Partial<CleanUploadsOptions> = {}) =>
      cleanUploads({
        uploadDirectory: uploads,
        connect: async () => ({ ec2, ebs: async () => ebs, async [Symbol.asyncDispose]() {} }),
        isDryRun: false,
        olderThanMs: 0,
        settleMs: 60_000,
        signal: NEVER,
        clock,
        emit: (event) => events.push(event),
        ...changes,
      }),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

const NOTHING = { removed: 0, failed: 0, dead: 0, running: 0, leftAlone: 0 };

test("the pending snapshot of an interrupted upload is deleted, and its log; a dry run only tells", async () => {
  await using fixture = await openFixture({ at: "completeSnapshot" });
  const { ebs, uploads, events } = fixture;
  const [snapshotId] = ebs.snapshots.keys();
  assert.equal(await countInterruptedUploads(uploads), 1);
  assert.deepEqual(await fixture.clean({ isDryRun: true }), { ...NOTHING, removed: 1, dead: 1 });
  assert.equal(ebs.snapshots.size, 1);
  assert.deepEqual(await fixture.clean(), { ...NOTHING, removed: 1, dead: 1 });
  assert.equal(ebs.snapshots.size, 0);
  assert.deepEqual(
    events.map((event) => [event.type, "id" in event ? event.id : "template" in event ? event.template : ""]),
    [
      ["build", fixture.path],
      ["would-remove", snapshotId],
      ["build", fixture.path],
      ["removed", snapshotId],
    ],
  );
  assert.equal(await countInterruptedUploads(uploads), 0);
  assert.deepEqual(await fixture.clean(), NOTHING);
});

test("a snapshot whose start was lost is found by its token", async () => {
  await using fixture = await openFixture({ at: "nothing", isLost: true });
  assert.equal(fixture.ebs.snapshots.size, 1);
  assert.deepEqual(await fixture.clean({ isDryRun: true }), { ...NOTHING, removed: 1, dead: 1 });
  assert.deepEqual(await fixture.clean(), { ...NOTHING, removed: 1, dead: 1 });
  assert.equal(fixture.ebs.snapshots.size, 0);
});

for (const isLost of [false, true]) {
  const whose = isLost ? "whose start was lost" : "that was just started";
  test(`a snapshot ${whose} is deleted although EC2 hides it for a while`, async () => {
    await using fixture = await openFixture(isLost ? { at: "nothing", isLost } : { at: "putSnapshotBlock" });
    const { ebs, clock } = fixture;
    const shownFromMs = clock.now() + 40_000;
    ebs.isVisible = () => clock.now() >= shownFromMs;
    assert.deepEqual(await fixture.clean(), { ...NOTHING, removed: 1, dead: 1 });
    assert.equal(ebs.snapshots.size, 0);
    assert.deepEqual(await readdir(fixture.uploads), []);
  });
}

test("one that was deleted by hand is looked for, and then only the log goes", async () => {
  await using fixture = await openFixture({ at: "putSnapshotBlock" });
  const startMs = fixture.clock.now();
  fixture.ebs.snapshots.clear();
  assert.deepEqual(await fixture.clean(), { ...NOTHING, dead: 1 });
  assert.ok(fixture.clock.now() >= startMs + 60_000);
  assert.deepEqual(await readdir(fixture.uploads), []);
});

test("one of unknown id that was deleted by hand is gone, and then only the log goes", async () => {
  await using fixture = await openFixture({ at: "nothing", isLost: true });
  fixture.ebs.snapshots.clear();
  assert.deepEqual(await fixture.clean(), { ...NOTHING, dead: 1 });
  assert.deepEqual(await readdir(fixture.uploads), []);
});

test("the id that was learnt is in the log before the snapshot is deleted", async () => {
  await using fixture = await openFixture({ at: "nothing", isLost: true });
  const { ebs, uploads, events } = fixture;
  const [snapshotId] = ebs.snapshots.keys();
  const { deleteSnapshot } = ebs.ec2.releasing;
  ebs.ec2.releasing.deleteSnapshot = async (id) => {
    await deleteSnapshot(id);
    throw new AwsError("DeleteSnapshot", "TimeoutError", "no answer");
  };
  assert.deepEqual(await fixture.clean(), { ...NOTHING, failed: 1, dead: 1 });
  const [name = ""] = await readdir(uploads);
  {
    await using log = await openUploadLog(uploads, name.replace(/\.upload$/, ""));
    assert.equal(log?.earlier?.started?.snapshotId, snapshotId);
  }
  ebs.ec2.releasing.deleteSnapshot = deleteSnapshot;
  ebs.startSnapshot = () => assert.fail("the id is known");
  assert.deepEqual(await fixture.clean(), { ...NOTHING, dead: 1 });
  assert.deepEqual(
    events.map(({ type }) => type),
    ["build", "failed", "build"],
  );
  assert.deepEqual(await readdir(uploads), []);
});

test("a snapshot that is complete is its owner's: only the log goes", async () => {
  await using fixture = await openFixture({ at: "listSnapshotBlocks" });
  const [snapshotId] = fixture.ebs.snapshots.keys();
  assert.deepEqual(await fixture.clean(), { ...NOTHING, dead: 1 });
  assert.equal(fixture.ebs.snapshots.size, 1);
  const kept = fixture.events.find(({ type }) => type === "kept");
  assert.deepEqual(kept?.type === "kept" && kept.snapshotIds, [snapshotId]);
  assert.deepEqual(await readdir(fixture.uploads), []);
});

test("a snapshot that was sealed is its owner's too, although EC2 calls it pending", async () => {
  await using fixture = await openFixture({ at: "listSnapshotBlocks" });
  const { ebs, events } = fixture;
  ebs.isLate = true;
  for (const isDryRun of [true, false]) {
    assert.deepEqual(await fixture.clean({ isDryRun }), { ...NOTHING, dead: 1 });
    assert.equal(events.at(-1)?.type, "kept");
  }
  assert.equal(ebs.snapshots.size, 1);
  assert.deepEqual(await readdir(fixture.uploads), []);
});

test("what cannot be deleted stays in its log; one that runs, or is too young, is left alone", async () => {
  await using fixture = await openFixture({ at: "completeSnapshot" });
  const { ebs, uploads } = fixture;
  assert.deepEqual(await fixture.clean({ olderThanMs: 1e9 }), { ...NOTHING, leftAlone: 1 });
  ebs.ec2.releasing.deleteSnapshot = async () => {
    throw new AwsError("DeleteSnapshot", "UnauthorizedOperation", "no");
  };
  assert.deepEqual(await fixture.clean(), { ...NOTHING, failed: 1, dead: 1 });
  assert.equal(fixture.events.at(-1)?.type, "failed");
  const [name = ""] = await readdir(uploads);
  await using _held = await openUploadLog(uploads, name.replace(/\.upload$/, ""));
  assert.deepEqual(await fixture.clean(), { ...NOTHING, running: 1 });
  assert.equal(await countInterruptedUploads(uploads), 0);
});

test("an upload can be forgotten, unless somebody works on it", async () => {
  await using fixture = await openFixture({ at: "completeSnapshot" });
  const [name = ""] = await readdir(fixture.uploads);
  const id = name.replace(/\.upload$/, "");
  {
    await using _held = await openUploadLog(fixture.uploads, id);
    assert.equal(await forgetUpload(fixture.uploads, id), false);
  }
  assert.equal(await forgetUpload(fixture.uploads, "../other"), false);
  assert.equal(await forgetUpload(fixture.uploads, id), true);
  assert.deepEqual(await readdir(fixture.uploads), []);
});

test("in a local cloud that was deleted there is nothing to delete", async () => {
  await using fixture = await openFixture({ at: "completeSnapshot" });
  assert.deepEqual(await fixture.clean({ connect: async () => undefined }), { ...NOTHING, dead: 1 });
  assert.deepEqual(await readdir(fixture.uploads), []);
});
