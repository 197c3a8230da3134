// Snapshots of the local cloud that is started for a command, with its blocks on disk.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { assertSameDisk, writeSparseDisk } from "../helpers/transfer-fixture.ts";

test("a disk goes up to the local cloud and comes back, and is an image's disk there", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-snapshot-"));
  try {
    const disk = join(directory, "disk.raw");
    await writeSparseDisk(disk, 20);
    const store = join(directory, "store");
    const env = { AMIBAKE_STATE_DIR: join(directory, "state") };
    const amibake = async (...args: string[]) => {
      const result = await runAmibake([...args, "--store", store], { env, cwd: directory });
      assert.equal(result.exitCode, 0, result.stderr);
      return result.stdout;
    };
    const id = (await amibake("snapshot", "upload", "disk.raw", "--local")).split(" ", 1)[0] ?? "";
    assert.match(await amibake("local", "snapshots"), new RegExp(id));
    await amibake("verify", id, "--local");
    await amibake("snapshot", "download", id, "back.raw", "--local");
    await assertSameDisk(disk, join(directory, "back.raw"));
    // Another run of the same command makes another snapshot: the first one was complete.
    assert.notEqual((await amibake("snapshot", "upload", "disk.raw", "--local")).split(" ", 1)[0], id);
    await amibake("local", "reset", "--yes");
  } finally {
    await rm(directory, { recursive: true });
  }
});
