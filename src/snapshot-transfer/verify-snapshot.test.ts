import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { FakeEbs, hashed } from "../../test/helpers/fake-ebs.ts";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import { BlockHashes, UNKNOWN_SHA256 } from "../base/block-hashes.ts";
import type { SnapshotId } from "../base/ids.ts";
import { NEVER } from "../base/never.ts";
import { encodeManifest } from "../base/snapshot-manifest.ts";
import { runCommand } from "../linux/run-command.ts";
import { findManifest } from "./packer-manifest.ts";
import { verifySnapshot } from "./verify-snapshot.ts";

const SNAPSHOT = "snap-1" as SnapshotId;
const text = (content: string) => Buffer.from(content);

function manifestOf(blocks: Readonly<Record<number, string>>, sizeBytes = 1024 ** 3) {
  const hashes = Object.entries(blocks).map(([index, content]) => hashed(Number(index), text(content)));
  return { sizeBytes, blocks: BlockHashes.from(hashes) };
}

function verify(ebs: FakeEbs, manifest: ReturnType<typeof manifestOf>) {
  return verifySnapshot({
    snapshotId: SNAPSHOT,
    manifest,
    ebs,
    signal: NEVER,
    clock: scaledClock(1000),
    emit: () => {},
  });
}

test("a snapshot is the same as its manifest, whether zeros are listed or not", async () => {
  const ebs = new FakeEbs();
  ebs.add(SNAPSHOT, 1, { 0: text("a"), 5: text(""), 9: text("b") });
  const verified = await verify(ebs, manifestOf({ 0: "a", 7: "", 9: "b" }));
  assert.deepEqual(verified, {
    isSame: true,
    sizeBytes: 1024 ** 3,
    differences: { missing: [], extra: [], different: [] },
    blockCount: 3,
    unknownCount: 0,
  });
});

test("a block that nobody has looked at has to be there, and is not read", async () => {
  const ebs = new FakeEbs();
  ebs.add(SNAPSHOT, 1, { 0: text("a"), 5: text("b") });
  const known = manifestOf({ 0: "a" });
  const unknown = [5, 6].map((blockIndex) => ({ blockIndex, sha256: UNKNOWN_SHA256 }));
  const verified = await verify(ebs, { ...known, blocks: known.blocks.with(BlockHashes.from(unknown)) });
  assert.deepEqual([verified.isSame, verified.blockCount, verified.unknownCount], [false, 1, 1]);
  assert.deepEqual(verified.differences.missing, [6]);
  assert.equal(ebs.usage.getSnapshotBlock, 1);
});

test("each difference is named", async () => {
  const ebs = new FakeEbs();
  ebs.add(SNAPSHOT, 1, { 0: text("a"), 1: text("x"), 2: text(""), 3: text("extra"), 4: text("more") });
  const verified = await verify(ebs, manifestOf({ 0: "a", 1: "b", 2: "c", 4: "", 6: "d" }));
  assert.equal(verified.isSame, false);
  assert.deepEqual(verified.differences, { missing: [2, 6], extra: [3, 4], different: [1] });
});

test("another size is a difference", async () => {
  const ebs = new FakeEbs();
  ebs.add(SNAPSHOT, 2, { 0: text("a") });
  const verified = await verify(ebs, manifestOf({ 0: "a" }));
  assert.deepEqual([verified.isSame, verified.sizeBytes], [false, 2 * 1024 ** 3]);
});

test("a manifest is found in the file that amibake keeps, and in that of the manifest post-processor", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-manifest-"));
  try {
    const path = join(directory, "manifest");
    const manifest = manifestOf({ 3: "c", 1: "a" });
    await writeFile(path, encodeManifest(manifest));
    assert.deepEqual(await findManifest(path, SNAPSHOT), manifest);
    const blocks = [...manifest.blocks].map(({ blockIndex, sha256 }) => [
      blockIndex,
      Buffer.from(sha256).toString("hex"),
    ]);
    const about = { snapshot_id: SNAPSHOT, size_bytes: 1024 ** 3, block_size: 524_288, blocks };
    const write = (value: unknown) => writeFile(path, JSON.stringify(value));
    await write({ builds: [{ block_manifests: [{ ...about, blocks: [[2, null]] }] }] });
    const unknown = BlockHashes.from([{ blockIndex: 2, sha256: UNKNOWN_SHA256 }]);
    assert.deepEqual(await findManifest(path, SNAPSHOT), { ...manifest, blocks: unknown });
    await write({ builds: [{}, { block_manifests: [{ ...about, blocks: [] }, about] }] });
    assert.deepEqual(await findManifest(path, SNAPSHOT), manifest);
    for (const [value, message] of [
      [
        { builds: [{ block_manifests: [{ ...about, snapshot_id: "snap-2" }] }] },
        "it says nothing of snap-1, only of snap-2",
      ],
      [{ builds: [] }, "it says nothing of snap-1"],
      [null, "it says nothing of snap-1"],
      [{ builds: [{ block_manifests: [{ ...about, blocks: [[1, "00"]] }] }] }, "what it says of snap-1 is damaged"],
    ] as const) {
      await write(value);
      await assert.rejects(findManifest(path, SNAPSHOT), {
        code: "ERR_MANIFEST",
        message: `Cannot use the manifest "${path}": ${message}`,
      });
    }
    await writeFile(path, "not JSON");
    await assert.rejects(findManifest(path, SNAPSHOT), { message: /neither a manifest of blocks nor JSON$/ });
    await assert.rejects(findManifest(join(directory, "none"), SNAPSHOT), { message: /ENOENT/ });
    // Opening it would wait for a writer.
    await runCommand(["mkfifo", join(directory, "fifo")]);
    await assert.rejects(findManifest(join(directory, "fifo"), SNAPSHOT), {
      code: "ERR_MANIFEST",
      message: `Cannot use the manifest "${join(directory, "fifo")}": it is a FIFO, not a regular file`,
    });
  } finally {
    await rm(directory, { recursive: true });
  }
});
