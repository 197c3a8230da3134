import assert from "node:assert/strict";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../run-command.ts";
import { listPartitions, parsePartitions } from "./partitions.ts";

async function scratchDisk(table?: string) {
  const directory = await mkdtemp(join(tmpdir(), "amibake-partitions-"));
  const path = join(directory, "disk");
  await writeFile(path, "");
  await truncate(path, 16 * 1024 ** 2);
  if (table !== undefined) await runCommand(["sfdisk", "--quiet", path], { input: table });
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

test("listPartitions() reads a GPT", async () => {
  await using disk = await scratchDisk(
    'label: gpt\nsize=1M, type=21686148-6449-6E6F-744E-656564454649\nsize=4M, name="the root", uuid=11111111-2222-3333-4444-555555555555\n',
  );
  const partitions = await listPartitions(disk.path);
  assert.equal(partitions.length, 2);
  assert.equal(partitions[0]?.type, "21686148-6449-6e6f-744e-656564454649");
  assert.deepEqual(partitions[1], {
    number: 2,
    startBytes: 2 * 1024 ** 2,
    sizeBytes: 4 * 1024 ** 2,
    type: "0fc63daf-8483-4772-8e79-3d69d8477de4",
    label: "the root",
    uuid: "11111111-2222-3333-4444-555555555555",
  });
});

test("listPartitions() reads an MBR", async () => {
  await using disk = await scratchDisk("label: dos\nlabel-id: 0x01020304\nsize=1M, type=83\nsize=2M, type=82\n");
  const partitions = await listPartitions(disk.path);
  assert.deepEqual(
    partitions.map(({ number, type, label, uuid }) => [number, type, label, uuid]),
    [
      [1, "0x83", "", "01020304-01"],
      [2, "0x82", "", "01020304-02"],
    ],
  );
});

test("listPartitions() finds none without a table", async () => {
  await using disk = await scratchDisk();
  assert.deepEqual(await listPartitions(disk.path), []);
  await runCommand(["mke2fs", "-q", disk.path]);
  assert.deepEqual(await listPartitions(disk.path), []);
});

test("listPartitions() fails for what is not there", async () => {
  await assert.rejects(listPartitions("/nowhere/disk"), { name: "CommandError" });
});

test("parsePartitions() gives labels as they were written", () => {
  const [partition] = parsePartitions(
    'NR="1" START="8" SECTORS="16" TYPE="t" NAME="a\\x22b \\xc3\\xbc\\x24x\\x5c" UUID=""\n',
  );
  assert.equal(partition?.label, 'a"b ü$x\\');
  assert.equal(partition?.startBytes, 4096);
});
