import assert from "node:assert/strict";
import { mkdtemp, open, readdir, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { FakeEbs } from "../../test/helpers/fake-ebs.ts";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import { skippingClock } from "../../test/helpers/skipping-clock.ts";
import { AwsError } from "../aws/aws-error.ts";
import type { Ec2Api } from "../aws/ec2-api.ts";
import type { SnapshotId } from "../base/ids.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { runCommand } from "../linux/run-command.ts";
import { manifestStore } from "./manifest-store.ts";
import { type UploadEvent, type UploadFileOptions, uploadFile } from "./upload-file.ts";

const BLOCKS = Array.from({ length: 120 }, (_, index) => index * 3);

/** A sparse disk of 400 blocks and a bit, in a directory of its own, and an account. */
async function openFixture() {
  const directory = await mkdtemp(join(tmpdir(), "amibake-upload-"));
  const path = join(directory, "disk.raw");
  await writeDisk(path, Object.fromEntries(BLOCKS.map((index) => [index, `block ${index}`])));
  const ebs = new FakeEbs();
  const events: UploadEvent[] = [];
  const manifests = manifestStore({ AMIBAKE_STATE_DIR: directory });
  const upload = (changes: Partial<UploadFileOptions> = {}) =>
    uploadFile({
      path,
      plan: { description: "a disk", tags: { Name: "disk" } },
      place: { accountId: "123456789012", region: "us-east-1" },
      ebs,
      // The part of it that uploads use.
      ec2: ebs.ec2 as unknown as Ec2Api,
      manifests,
      stateDirectory: directory,
      signal: new AbortController().signal,
      clock: scaledClock(1000),
      emit: (event) => events.push(event),
      ...changes,
    });
  return {
    directory,
    path,
    ebs,
    manifests,
    upload,
    told: (type: UploadEvent["type"]) => events.filter((event) => event.type === type),
    logs: async () => (await readdir(join(directory, "uploads"))).length,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

async function writeDisk(path: string, blocks: Readonly<Record<number, string>>): Promise<void> {
  await using file = await open(path, "w");
  await file.truncate(400 * SNAPSHOT_BLOCK_BYTES + 100);
  for (const [index, text] of Object.entries(blocks)) {
    await file.write(Buffer.from(text), 0, text.length, Number(index) * SNAPSHOT_BLOCK_BYTES);
  }
}

/** Lets the puts of a run fail after this many. */
function failAfter(ebs: FakeEbs, putCount: number): void {
  ebs.before = (call) => {
    if (call !== "putSnapshotBlock" || putCount-- > 0) return;
    throw new AwsError("PutSnapshotBlock", "AccessDeniedException", "no more");
  };
}

test("a file becomes a snapshot with its content, a manifest is kept, and nothing else is left", async () => {
  await using fixture = await openFixture();
  const { ebs } = fixture;
  const uploaded = await fixture.upload();
  const snapshot = ebs.snapshots.get(uploaded.snapshotId);
  assert.deepEqual(uploaded, { snapshotId: snapshot?.snapshotId, sizeGib: 1, writtenBlocks: 120 });
  assert.equal(snapshot?.state, "completed");
  assert.deepEqual(
    [...(snapshot?.blocks.keys() ?? [])].sort((a, b) => a - b),
    BLOCKS,
  );
  assert.deepEqual(snapshot?.plan.tags, { Name: "disk" });
  const manifest = await fixture.manifests.read(uploaded.snapshotId);
  assert.equal(manifest?.sizeBytes, 1024 ** 3);
  for (const [index, { sha256 }] of snapshot?.blocks ?? []) assert.deepEqual(manifest?.blocks.get(index), sha256);
  assert.equal(await fixture.logs(), 0);
  const last = fixture.told("progress").at(-1);
  assert.ok(last?.type === "progress" && last.doneBlocks === 120 && last.totalBlocks === 120 && last.leftMs === 0);
});

test("an interrupted upload goes on in the same snapshot and sends no acknowledged block again", async () => {
  await using fixture = await openFixture();
  const { ebs } = fixture;
  failAfter(ebs, 50);
  await assert.rejects(fixture.upload(), { awsCode: "AccessDeniedException" });
  assert.equal(ebs.puts.length, 50);
  failAfter(ebs, 30);
  await assert.rejects(fixture.upload(), { awsCode: "AccessDeniedException" });
  ebs.before = () => {};
  const { snapshotId, writtenBlocks } = await fixture.upload();
  assert.equal(ebs.snapshots.size, 1);
  assert.equal(writtenBlocks, 120);
  assert.deepEqual(
    [...ebs.puts].sort((a, b) => a - b),
    BLOCKS,
    "each block once",
  );
  assert.deepEqual(
    fixture.told("resumed"),
    [50, 80].map((acknowledgedBlocks) => ({ type: "resumed", snapshotId, acknowledgedBlocks })),
  );
});

for (const [what, damage] of [
  ["cut short in a record", async (path: string) => (await using_(path)).truncateBy(7)],
  ["with zeros behind it", async (path: string) => (await using_(path)).append(Buffer.alloc(4096))],
] as const) {
  test(`a log ${what} is believed as far as it is whole`, async () => {
    await using fixture = await openFixture();
    failAfter(fixture.ebs, 50);
    await assert.rejects(fixture.upload());
    const [name = ""] = await readdir(join(fixture.directory, "uploads"));
    await damage(join(fixture.directory, "uploads", name));
    fixture.ebs.before = () => {};
    const { snapshotId } = await fixture.upload();
    assert.equal(fixture.ebs.snapshots.get(snapshotId)?.state, "completed");
    assert.ok(fixture.ebs.puts.length <= 121, String(fixture.ebs.puts.length));
  });
}

async function using_(path: string) {
  const change = async (work: (file: Awaited<ReturnType<typeof open>>) => Promise<unknown>) => {
    await using file = await open(path, "r+");
    await work(file);
  };
  return {
    truncateBy: (byteCount: number) => change(async (file) => file.truncate((await file.stat()).size - byteCount)),
    append: (bytes: Buffer) => change(async (file) => file.write(bytes, 0, bytes.length, (await file.stat()).size)),
  };
}

test("a file that has changed since is uploaded anew, and the dead snapshot is deleted", async () => {
  await using fixture = await openFixture();
  failAfter(fixture.ebs, 50);
  await assert.rejects(fixture.upload());
  const [dead] = fixture.ebs.snapshots.keys();
  fixture.ebs.before = () => {};
  await utimes(fixture.path, new Date(), new Date(1_000_000_000_000));
  const { snapshotId } = await fixture.upload();
  assert.deepEqual(fixture.told("started-over"), [
    { type: "started-over", snapshotId: dead, reason: "the file has changed since" },
  ]);
  assert.deepEqual([...fixture.ebs.snapshots.keys()], [snapshotId]);
  assert.notEqual(snapshotId, dead);
});

test("neither is one with its old time of modification gone on with, nor sealed", async () => {
  await using fixture = await openFixture();
  const { ebs, path } = fixture;
  const { atime, mtime } = await stat(path);
  await utimes(path, atime, mtime);
  const overwrite = async () => {
    // The time of a change is no finer than the kernel's ticks, of 10 ms at most.
    await delay(20);
    await writeFile(path, "x", { flag: "r+" });
    await utimes(path, atime, mtime);
  };
  failAfter(ebs, 50);
  await assert.rejects(fixture.upload());
  await overwrite();
  ebs.before = async (_call, blockIndex) => {
    if (blockIndex === 60) await overwrite();
  };
  await assert.rejects(fixture.upload(), { code: "ERR_FILE_CHANGED" });
  const [again] = fixture.told("started-over");
  assert.ok(again?.type === "started-over" && again.reason === "the file has changed since");
  assert.deepEqual(
    [...ebs.snapshots.values()].map(({ state }) => state),
    ["pending"],
  );
});

test("with other tags it is another snapshot", async () => {
  await using fixture = await openFixture();
  failAfter(fixture.ebs, 50);
  await assert.rejects(fixture.upload());
  fixture.ebs.before = () => {};
  const { snapshotId } = await fixture.upload({ plan: { description: "a disk", tags: { Name: "other" } } });
  assert.equal(fixture.told("started-over").length, 1);
  assert.deepEqual(fixture.ebs.snapshots.get(snapshotId)?.plan.tags, { Name: "other" });
  assert.equal(fixture.ebs.snapshots.size, 1);
});

for (const state of ["error", "gone"] as const) {
  test(`a pending snapshot that is ${state} meanwhile is started over`, async () => {
    await using fixture = await openFixture();
    failAfter(fixture.ebs, 50);
    await assert.rejects(fixture.upload());
    const [dead] = fixture.ebs.snapshots.values();
    if (dead === undefined) throw new TypeError("There is no snapshot");
    if (state === "error") dead.state = "error";
    else fixture.ebs.snapshots.delete(dead.snapshotId);
    fixture.ebs.before = () => {};
    const { snapshotId } = await fixture.upload();
    assert.deepEqual(fixture.told("started-over"), [
      { type: "started-over", snapshotId: dead.snapshotId, reason: `EBS has given up ${dead.snapshotId}` },
    ]);
    assert.deepEqual([...fixture.ebs.snapshots.keys()], [snapshotId]);
  });
}

test("a pending snapshot that EC2 hides for a while is gone on with", async () => {
  await using fixture = await openFixture();
  const { ebs } = fixture;
  const clock = skippingClock();
  failAfter(ebs, 50);
  await assert.rejects(fixture.upload({ clock }));
  ebs.before = () => {};
  const shownFromMs = clock.now() + 40_000;
  ebs.isVisible = () => clock.now() >= shownFromMs;
  await fixture.upload({ clock });
  assert.deepEqual(fixture.told("started-over"), []);
  assert.equal(ebs.snapshots.size, 1);
  assert.equal(ebs.puts.length, 120);
});

test("an upload that died after sealing only has to be finished", async () => {
  await using fixture = await openFixture();
  fixture.ebs.before = (call) => {
    if (call === "listSnapshotBlocks") throw new AwsError("ListSnapshotBlocks", "AccessDeniedException", "no");
  };
  await assert.rejects(fixture.upload());
  fixture.ebs.before = () => {};
  const { snapshotId } = await fixture.upload();
  assert.equal(fixture.ebs.puts.length, 120);
  assert.equal(fixture.ebs.usage.other, 2, "one start, one completion");
  assert.equal((await fixture.manifests.read(snapshotId))?.blocks.count, 120);
});

test("an upload that died while EC2 still called the sealed snapshot pending waits for it", async () => {
  await using fixture = await openFixture();
  const { ebs } = fixture;
  ebs.isLate = true;
  await assert.rejects(fixture.upload({ clock: skippingClock() }), { code: "ERR_WAIT_TIMEOUT" });
  const clock = skippingClock();
  const completedFromMs = clock.now() + 40_000;
  const findSnapshot = ebs.ec2.findSnapshot;
  ebs.ec2.findSnapshot = (snapshotId) => {
    ebs.isLate = clock.now() < completedFromMs;
    return findSnapshot(snapshotId);
  };
  const { snapshotId } = await fixture.upload({ clock });
  assert.deepEqual([...ebs.snapshots.keys()], [snapshotId]);
  assert.equal(ebs.puts.length, 120);
  assert.equal((await fixture.manifests.read(snapshotId))?.blocks.count, 120);
});

test("one that died between the log and the call is sealed by the next run, and kept if the file has changed", async () => {
  for (const isChanged of [false, true]) {
    await using fixture = await openFixture();
    const { ebs } = fixture;
    ebs.before = (call) => {
      if (call === "completeSnapshot") throw new AwsError("CompleteSnapshot", "TimeoutError", "no answer");
    };
    await assert.rejects(fixture.upload(), { awsCode: "TimeoutError" });
    const [first] = ebs.snapshots.keys();
    ebs.before = () => {};
    if (isChanged) await utimes(fixture.path, new Date(), new Date(1_000_000_000_000));
    const { snapshotId } = await fixture.upload();
    assert.equal(snapshotId === first, !isChanged);
    for (const { state } of ebs.snapshots.values()) assert.equal(state, "completed");
    assert.equal(ebs.snapshots.size, isChanged ? 2 : 1);
    assert.equal(ebs.puts.length, isChanged ? 240 : 120);
  }
});

test("an upload whose start was lost learns its snapshot by the token", async () => {
  await using fixture = await openFixture();
  const start = fixture.ebs.startSnapshot.bind(fixture.ebs);
  fixture.ebs.startSnapshot = async (plan) => {
    await start(plan);
    throw new AwsError("StartSnapshot", "TimeoutError", "no answer", {});
  };
  await assert.rejects(fixture.upload(), { awsCode: "TimeoutError" });
  fixture.ebs.startSnapshot = start;
  await fixture.upload();
  assert.equal(fixture.ebs.snapshots.size, 1);
});

test("an upload whose start was lost, and whose snapshot was deleted, starts over", async () => {
  await using fixture = await openFixture();
  const { ebs } = fixture;
  const start = ebs.startSnapshot.bind(ebs);
  ebs.startSnapshot = async (plan) => {
    await start(plan);
    throw new AwsError("StartSnapshot", "TimeoutError", "no answer", {});
  };
  await assert.rejects(fixture.upload(), { awsCode: "TimeoutError" });
  ebs.startSnapshot = start;
  ebs.snapshots.clear();
  const { snapshotId } = await fixture.upload();
  assert.deepEqual([...ebs.snapshots.keys()], [snapshotId]);
  assert.equal(fixture.told("started-over").length, 1);
});

for (const [what, isShown] of [
  ["at once", true],
  ["only later", false],
] as const) {
  test(`a start that was lost, of a file that changed, leaves no snapshot that EC2 shows ${what}`, async () => {
    await using fixture = await openFixture();
    const { ebs } = fixture;
    const clock = skippingClock();
    const start = ebs.startSnapshot.bind(ebs);
    ebs.startSnapshot = async (plan) => {
      await start(plan);
      throw new AwsError("StartSnapshot", "TimeoutError", "no answer", {});
    };
    await assert.rejects(fixture.upload({ clock }), { awsCode: "TimeoutError" });
    ebs.startSnapshot = start;
    await utimes(fixture.path, new Date(), new Date(1_000_000_000_000));
    const shownFromMs = clock.now() + (isShown ? 0 : 40_000);
    ebs.isVisible = () => clock.now() >= shownFromMs;
    const { snapshotId } = await fixture.upload({ clock });
    assert.deepEqual([...ebs.snapshots.keys()], [snapshotId]);
  });
}

test("a start that was refused leaves no log", async () => {
  await using fixture = await openFixture();
  fixture.ebs.before = () => {
    throw new AwsError("StartSnapshot", "AccessDeniedException", "no");
  };
  await assert.rejects(fixture.upload(), { awsCode: "AccessDeniedException" });
  assert.equal(await fixture.logs(), 0);
});

test("a file that is written meanwhile does not become a snapshot", async () => {
  await using fixture = await openFixture();
  fixture.ebs.before = async (_call, blockIndex) => {
    if (blockIndex === 60) await writeFile(fixture.path, "x", { flag: "r+" });
  };
  await assert.rejects(fixture.upload(), {
    code: "ERR_FILE_CHANGED",
    message: `Cannot upload "${fixture.path}": it was changed meanwhile`,
  });
  assert.deepEqual(
    [...fixture.ebs.snapshots.values()].map(({ state }) => state),
    ["pending"],
  );
});

test("two at once: the second is told who does it already", async () => {
  await using fixture = await openFixture();
  let second: Promise<unknown> | undefined;
  fixture.ebs.before = async (call) => {
    if (call !== "startSnapshot") return;
    second = assert.rejects(fixture.upload(), {
      code: "ERR_UPLOAD_BUSY",
      message: /process \d+ \(.*\) does so already/,
    });
    await second;
  };
  await fixture.upload();
  assert.ok(second !== undefined);
});

test("of a child only the changes are put, by the manifest or by reading, and the child's manifest is whole", async () => {
  for (const isKnown of [true, false]) {
    await using fixture = await openFixture();
    const { ebs, manifests } = fixture;
    const { snapshotId: parentSnapshotId } = await fixture.upload();
    if (!isKnown) await manifests.remove(parentSnapshotId);
    const { 0: _first, 3: _second, ...rest } = Object.fromEntries(BLOCKS.map((index) => [index, `block ${index}`]));
    // Block 0 becomes a hole, block 3 another one, block 1 is new.
    await writeDisk(fixture.path, { ...rest, 3: "changed", 1: "new" });
    ebs.puts.length = 0;
    const plan = { description: "child", tags: {}, parentSnapshotId };
    const { snapshotId, writtenBlocks } = await fixture.upload({ plan });
    assert.deepEqual([...ebs.puts].sort(), [0, 1, 3]);
    assert.equal(writtenBlocks, 3);
    assert.equal(ebs.gets.length, isKnown ? 0 : 120);
    const blocks = ebs.snapshots.get(snapshotId)?.blocks;
    assert.equal(blocks?.get(3)?.content.toString(), "changed");
    assert.equal(blocks?.get(0)?.content.length, 0);
    const manifest = await manifests.read(snapshotId);
    assert.equal(manifest?.blocks.count, isKnown ? 121 : undefined);
    for (const { blockIndex, sha256 } of manifest?.blocks ?? [])
      assert.deepEqual(blocks?.get(blockIndex)?.sha256, sha256);
  }
});

test("what does not fit, or is no file, is refused before anything is made", async () => {
  await using fixture = await openFixture();
  const { directory, ebs } = fixture;
  ebs.add("snap-0big" as SnapshotId, 5, {});
  const plan = { description: "", tags: {}, parentSnapshotId: "snap-0big" as SnapshotId };
  await assert.rejects(fixture.upload({ plan, sizeGib: 4 }), {
    code: "ERR_UPLOAD_SOURCE",
    message: `Cannot upload "${fixture.path}": a snapshot of it, and of its parent, needs 5 GiB, not 4 GiB`,
    hint: "Leave --size out, or set it to 5 or more",
  });
  await assert.rejects(fixture.upload({ path: join(directory, "none") }), { message: /there is no such file$/ });
  await assert.rejects(fixture.upload({ path: directory }), { message: /it is a directory, not a regular file$/ });
  // Opening it would wait for a writer.
  await runCommand(["mkfifo", join(directory, "fifo")]);
  await assert.rejects(fixture.upload({ path: join(directory, "fifo") }), {
    code: "ERR_UPLOAD_SOURCE",
    message: `Cannot upload "${join(directory, "fifo")}": it is a FIFO, not a regular file`,
  });
  const qcow2 = join(directory, "disk.qcow2");
  await writeFile(qcow2, Buffer.from("QFI\xfb\0\0\0\x03", "latin1"));
  await assert.rejects(fixture.upload({ path: qcow2 }), {
    message: `Cannot upload "${qcow2}": it is a qcow2 image, not a raw disk`,
    hint: `Convert it first: qemu-img convert -O raw "${qcow2}" disk.raw`,
  });
  await writeFile(join(directory, "disk.gz"), "\x1f\x8b\x08", "latin1");
  await assert.rejects(fixture.upload({ path: join(directory, "disk.gz") }), {
    message: /it is compressed with gzip$/,
  });
  await writeFile(join(directory, "empty"), "");
  await assert.rejects(fixture.upload({ path: join(directory, "empty") }), { message: /it is empty$/ });
  assert.equal(ebs.snapshots.size, 1);
});
