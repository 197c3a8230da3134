import assert from "node:assert/strict";
import { mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeDirectories } from "./make-directories.ts";

test("makeDirectories() makes what is missing and tells which", async () => {
  const root = await mkdtemp(join(tmpdir(), "amibake-mkdir-"));
  assert.deepEqual(await makeDirectories(join(root, "a/b")), [join(root, "a"), join(root, "a/b")]);
  assert.deepEqual(await makeDirectories(join(root, "a/b")), []);
  assert.equal((await stat(join(root, "a/b"))).mode & 0o777, 0o755);
  await makeDirectories(join(root, "private/inner"), 0o700);
  for (const path of ["private", "private/inner"]) assert.equal((await stat(join(root, path))).mode & 0o777, 0o700);
  await rm(root, { recursive: true });
});

test("makeDirectories() fails, and does not hang, where the file system has no such name", async () => {
  await assert.rejects(makeDirectories("/proc/sys/fs/amibake/deep"), { code: "ENOENT" });
});

test("makeDirectories() fails where there is a file, and not where there is a link to a directory", async () => {
  const root = await mkdtemp(join(tmpdir(), "amibake-mkdir-"));
  await writeFile(join(root, "file"), "");
  await symlink(root, join(root, "link"));
  await symlink("nowhere", join(root, "broken"));
  await assert.rejects(makeDirectories(join(root, "file")), { code: "ENOTDIR" });
  await assert.rejects(makeDirectories(join(root, "file/below")), { code: "ENOTDIR" });
  await assert.rejects(makeDirectories(join(root, "broken")), { code: "ENOENT" });
  assert.deepEqual(await makeDirectories(join(root, "link")), []);
  await rm(root, { recursive: true });
});
