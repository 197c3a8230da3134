import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { lockFile, tryLockFile } from "./file-lock.ts";

async function scratchDirectory() {
  const path = await mkdtemp(join(tmpdir(), "amibake-lock-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

test("tryLockFile() makes the file, refuses a second holder and lets go when disposed", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "deep", "er", "lock");
  {
    await using first = await tryLockFile(path);
    assert.equal(first?.path, path);
    assert.equal(await tryLockFile(path), undefined);
  }
  await using again = await tryLockFile(path);
  assert.notEqual(again, undefined);
});

test("tryLockFile() keeps what is in the file", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "journal");
  await writeFile(path, "line\n");
  await using _lock = await tryLockFile(path);
  assert.equal(await readFile(path, "utf8"), "line\n");
});

test("lockFile() says once that it waits, and has the lock as soon as it is free", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock");
  const holder = await lockFile(path, { onWait: () => assert.fail("nobody held it") });
  let waits = 0;
  const waiting = lockFile(path, { onWait: () => waits++ });
  await delay(100);
  assert.equal(waits, 1);
  const freedAt = performance.now();
  await holder[Symbol.asyncDispose]();
  await using _mine = await waiting;
  assert.ok(performance.now() - freedAt < 1000);
  assert.equal(waits, 1);
});

test("lockFile() gives each waiter the lock alone", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock");
  let holders = 0;
  const turns = Array.from({ length: 8 }, async () => {
    await using _lock = await lockFile(path);
    assert.equal(++holders, 1);
    await delay(5);
    holders--;
  });
  await Promise.all(turns);
});

test("lockFile() stops waiting when aborted, and the next waiter is not disturbed", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock");
  const holder = await lockFile(path);
  const controller = new AbortController();
  const aborted = lockFile(path, { signal: controller.signal, onWait: () => setTimeout(() => controller.abort(), 50) });
  await assert.rejects(aborted, { name: "AbortError" });
  await holder[Symbol.asyncDispose]();
  await using _next = await lockFile(path, { onWait: () => assert.fail("still held") });
});

test("lockFile() excludes flock(1) of other processes, and gets the lock of one that is killed", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock");
  const other = spawn("flock", ["--no-fork", path, "sh", "-c", "echo locked; exec sleep 60"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(other.stdout, "data");
  assert.equal(await tryLockFile(path), undefined);
  await using _lock = await lockFile(path, { onWait: () => setTimeout(() => other.kill("SIGKILL"), 50) });
});

test("lockFile() does not trust a lock on a file that was removed meanwhile", async () => {
  await using scratch = await scratchDirectory();
  const path = join(scratch.path, "lock");
  const holder = await lockFile(path);
  const waiting = lockFile(path, { onWait: () => void rm(path).then(() => holder[Symbol.asyncDispose]()) });
  await using _mine = await waiting;
  assert.equal(await tryLockFile(path), undefined);
});

test("lockFile() names the file that it cannot open", async () => {
  await assert.rejects(lockFile("/dev/null/lock"), {
    code: "ERR_LOCK_FAILED",
    message: /^Cannot lock "\/dev\/null\/lock": ENOTDIR/,
  });
});
