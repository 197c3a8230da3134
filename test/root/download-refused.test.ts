// Where a downloaded snapshot cannot be written: the reason, and a way out.
import assert from "node:assert/strict";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import type { SnapshotId } from "../../src/base/ids.ts";
import { NEVER } from "../../src/base/never.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { downloadFile } from "../../src/snapshot-transfer/download-file.ts";
import { manifestStore } from "../../src/snapshot-transfer/manifest-store.ts";
import { FakeEbs } from "../helpers/fake-ebs.ts";
import { scaledClock } from "../helpers/scaled-clock.ts";
import { smallFileSystem, temporaryDirectory } from "../helpers/small-file-system.ts";

const SNAPSHOT = "snap-1" as SnapshotId;

function snapshot(): FakeEbs {
  const ebs = new FakeEbs();
  ebs.add(SNAPSHOT, 1, { 0: Buffer.from("content") });
  return ebs;
}

function download(ebs: FakeEbs, path: string) {
  return downloadFile({
    snapshotId: SNAPSHOT,
    path,
    force: false,
    ebs,
    manifests: manifestStore({ AMIBAKE_STATE_DIR: "/nonexistent" }),
    signal: NEVER,
    clock: scaledClock(1000),
    emit: () => {},
  });
}

test("a read-only file system is told before anything is asked for", async () => {
  await using directory = await temporaryDirectory();
  await using small = await smallFileSystem(join(directory.path, "small"), "1m");
  await runCommand(["mount", "-o", "remount,ro", small.path]);
  const ebs = snapshot();
  ebs.before = () => assert.fail("nothing is to be asked for");
  const path = join(small.path, "disk.raw");
  await assert.rejects(download(ebs, path), {
    code: "ERR_DOWNLOAD",
    message: `Cannot write "${path}": EROFS: read-only file system`,
    hint: "Choose a directory that is not on a read-only file system",
    fault: "host",
  });
});

test("a directory of another user is told with a way out", async () => {
  await using directory = await temporaryDirectory();
  await chmod(directory.path, 0o755);
  const ebs = snapshot();
  const workingDirectory = process.cwd();
  // From within: others may not pass the directories above it.
  process.chdir(directory.path);
  process.seteuid?.(65_534);
  try {
    await assert.rejects(download(ebs, "disk.raw"), {
      code: "ERR_DOWNLOAD",
      message: 'Cannot write "disk.raw.part.log": EACCES: permission denied',
      hint: 'Choose another directory, or run the command as a user who may write in "."',
    });
  } finally {
    process.seteuid?.(0);
    process.chdir(workingDirectory);
  }
  assert.equal(ebs.gets.length, 0);
});
