import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { resolveInRoot } from "./resolve-in-root.ts";

let root: string;

before(async () => {
  root = await mkdtemp(join(tmpdir(), "amibake-resolve-"));
  await mkdir(join(root, "etc/real"), { recursive: true });
  await writeFile(join(root, "etc/real/file"), "");
  await symlink("/etc/real", join(root, "absolute"));
  await symlink("../../../../etc", join(root, "etc/climbing"));
  await symlink("loop-b", join(root, "loop-a"));
  await symlink("loop-a", join(root, "loop-b"));
  await symlink("/nowhere/at/all", join(root, "dangling"));
  await symlink("absolute/file", join(root, "chain"));
});
after(() => rm(root, { recursive: true }));

const cases: [path: string, inside: string, exists: boolean][] = [
  ["/etc/real/file", "/etc/real/file", true],
  ["etc//real/./file", "/etc/real/file", true],
  ["/absolute/file", "/etc/real/file", true],
  ["/chain", "/etc/real/file", true],
  ["/../../../etc/real", "/etc/real", true],
  ["/etc/climbing/real/file", "/etc/real/file", true],
  ["/dangling", "/nowhere/at/all", false],
  ["/new/deep/path", "/new/deep/path", false],
  ["/new/../etc/real", "/etc/real", true],
  ["/", "/", true],
];
for (const [path, inside, exists] of cases) {
  test(`resolveInRoot() takes "${path}" to "${inside}" of the image`, async () => {
    const resolved = await resolveInRoot(root, path);
    assert.equal(resolved.insidePath, inside);
    assert.equal(resolved.outsidePath, inside === "/" ? root : root + inside);
    assert.equal(resolved.exists, exists);
  });
}

test("resolveInRoot() gives a last symlink itself when asked to", async () => {
  assert.equal((await resolveInRoot(root, "/absolute", { followLast: false })).insidePath, "/absolute");
  assert.equal((await resolveInRoot(root, "/absolute/file", { followLast: false })).insidePath, "/etc/real/file");
});

test("resolveInRoot() refuses a loop of symlinks", async () => {
  await assert.rejects(resolveInRoot(root, "/loop-a"), {
    message: 'Cannot resolve "/loop-a" inside the image: too many levels of symbolic links',
  });
});

test("resolveInRoot() refuses a file on the way", async () => {
  await assert.rejects(resolveInRoot(root, "/etc/real/file/x"), {
    message: 'Cannot resolve "/etc/real/file/x" inside the image: "/etc/real/file" is not a directory',
  });
});
