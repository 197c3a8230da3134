import assert from "node:assert/strict";
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { changeFile } from "./change-file.ts";
import { lockFile } from "./file-lock.ts";

const { signal } = new AbortController();

async function scratchDirectory() {
  const path = await mkdtemp(join(tmpdir(), "amibake-change-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("changeFile() makes a file and its directory, and leaves nothing beside it", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "deep", "er", "list");
  const seen: (string | undefined)[] = [];
  for (const line of ["a", "b"]) {
    const append = (text: string | undefined) => {
      seen.push(text);
      return `${text ?? ""}${line}`;
    };
    await changeFile(path, append, { signal });
  }
  assert.deepEqual(seen, [undefined, "a"]);
  assert.equal(await readFile(path, "utf8"), "ab");
  assert.deepEqual(await readdir(join(scratch.path, "deep", "er")), ["list"]);
});

test("changeFile() loses no change of many at once, also through a symlink", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "list");
  const link = join(scratch.path, "link");
  await writeFile(path, "");
  await symlink("list", link);
  const names = Array.from({ length: 20 }, (_, index) => `line ${index}`);
  await Promise.all(
    names.map((name, index) => {
      const own = new AbortController().signal;
      return changeFile(index % 2 ? path : link, (text = "") => `${text}${name}\n`, { signal: own });
    }),
  );
  assert.deepEqual((await readFile(path, "utf8")).trimEnd().split("\n").sort(), [...names].sort());
  assert.deepEqual((await readdir(scratch.path)).sort(), ["link", "list"]);
});

test("changeFile() keeps a symlink, and the mode and owner of the file", async () => {
  await using scratch = await scratchDirectory();
  const target = join(scratch.path, "target");
  const path = join(scratch.path, "link");
  await writeFile(target, "old");
  await chown(target, 1234, 2345);
  await chmod(target, 0o666);
  await symlink("target", path);
  await changeFile(path, (text) => `${text}, new`, { signal });
  assert.equal(await readFile(target, "utf8"), "old, new");
  assert.ok((await lstat(path)).isSymbolicLink());
  const { uid, gid, mode } = await stat(target);
  assert.deepEqual([uid, gid, mode & 0o7777], [1234, 2345, 0o666]);
});

test("changeFile() leaves a file as it is when its change fails", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "list");
  await writeFile(path, "old");
  const failing = changeFile(
    path,
    () => {
      throw new Error("no");
    },
    { signal },
  );
  await assert.rejects(failing, /^Error: no$/);
  assert.equal(await readFile(path, "utf8"), "old");
  assert.deepEqual(await readdir(scratch.path), ["list"]);
});

test("changeFile() refuses what is no regular file", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "directory");
  await mkdir(path);
  await assert.rejects(
    changeFile(path, () => "", { signal }),
    { code: "ERR_TRANSFER", message: `"${path}" is a directory, not a regular file` },
  );
  await assert.rejects(
    changeFile("/dev/null", () => "", { signal }),
    { code: "ERR_TRANSFER" },
  );
});

test("changeFile() gives up waiting for others when it is interrupted, without a change", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "list");
  await writeFile(path, "old");
  const interruption = new AbortController();
  await using _held = await lockFile(`${path}.lock`);
  const changing = changeFile(path, () => "new", { signal: interruption.signal });
  setTimeout(() => interruption.abort(new Error("Ctrl-C")), 100);
  await assert.rejects(changing, /Ctrl-C/);
  assert.equal(await readFile(path, "utf8"), "old");
});
