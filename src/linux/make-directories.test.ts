import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDirectories } from "./make-directories.ts";

test("makeDirectories() makes what is missing and tells which", async () => {
  const root = await mkdtemp(join(tmpdir(), "amibake-mkdir-"));
  assert.deepEqual(await makeDirectories(join(root, "a/b")), [join(root, "a"), join(root, "a/b")]);
  assert.deepEqual(await makeDirectories(join(root, "a/b")), []);
  assert.equal((await stat(join(root, "a/b"))).mode & 0o777, 0o755);
  await rm(root, { recursive: true });
});

test("makeDirectories() fails, and does not hang, where the file system has no such name", async () => {
  await assert.rejects(makeDirectories("/proc/sys/fs/amibake/deep"), { code: "ENOENT" });
});
