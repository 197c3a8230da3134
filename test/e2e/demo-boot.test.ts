import assert from "node:assert/strict";
import { access, mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { hostEnvironment, runCommand } from "../../src/linux/run-command.ts";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { bootUntil } from "../helpers/boot-disk.ts";

let directory: string;
let output: string;
let disk: string;
/** As e2fsprogs' tools take a file system inside a disk file. */
let rootFileSystem: string;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "demo-"));
  const store = path.join(directory, "store");
  const environment = { ...hostEnvironment(), PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "/root" };
  const cache = process.env["XDG_CACHE_HOME"];
  const lines: string[] = [];
  await runCommand(["scripts/demo"], {
    env: { ...environment, AMIBAKE_LOCAL_STORE: store, ...(cache === undefined ? {} : { XDG_CACHE_HOME: cache }) },
    onLine: (_stream, line) => lines.push(line),
  }).catch((error: unknown) => {
    throw new Error(`scripts/demo failed:\n${lines.join("\n")}`, { cause: error });
  });
  output = lines.join("\n");
  const image = /local export (ami-[0-9a-f]+)/.exec(output)?.[1];
  assert.ok(image !== undefined, `The demo names no image to export:\n${output}`);
  disk = path.join(directory, "exported.raw");
  const exported = await runAmibake(["local", "export", image, disk, "--format", "raw", "--store", store]);
  assert.equal(exported.exitCode, 0, exported.stderr);
  const { stdout } = await runCommand(["sfdisk", "--json", disk]);
  const table: { partitiontable: { partitions: readonly { start: number }[] } } = JSON.parse(stdout.toString());
  rootFileSystem = `${disk}?offset=${(table.partitiontable.partitions[0]?.start ?? 0) * 512}`;
});

after(() => rm(directory, { recursive: true, force: true }));

async function readImageFile(file: string): Promise<string> {
  // debugfs ends with 0 whatever happens, and tells on standard error.
  const { stdout, stderrTail } = await runCommand(["debugfs", "-R", `cat ${file}`, rootFileSystem]);
  assert.match(stderrTail, /^debugfs [^\n]+\n$/);
  return stdout.toString();
}

test("the demo shows the image, its snapshot and how long each step took", () => {
  assert.match(output, /ami-[0-9a-f]{17}/);
  assert.match(output, /snap-[0-9a-f]{17}/);
  assert.match(output, /\d\.\d ?s/);
});

test("the exported disk is sparse, and its root file system is sound", async () => {
  const { size, blocks } = await stat(disk);
  assert.equal(size, 2 * 1024 ** 3);
  assert.ok(blocks * 512 < 1.2 * 1024 ** 3, `${blocks * 512} bytes are allocated`);
  await runCommand(["e2fsck", "-fn", rootFileSystem]);
});

test("the image holds the package and the files that the template put there", async () => {
  const packages = await readImageFile("/var/lib/dpkg/status");
  assert.match(packages, /^Package: nginx-light\nStatus: install ok installed$/m);
  assert.match(await readImageFile("/var/www/html/index.html"), /This page was baked into the image/);
  assert.match(await readImageFile("/etc/systemd/system/web-check.service"), /^\[Unit\]$/m);
});

test("the image has its own resolv.conf back, and nothing of the machine that baked it", async () => {
  assert.equal(await readImageFile("/etc/resolv.conf"), "");
  for (const gone of ["/usr/sbin/policy-rc.d", "/tmp/script.sh"]) {
    await assert.rejects(readImageFile(gone), /File not found by ext2_lookup/);
  }
});

test("the image boots until its web server answers", async () => {
  const console = await bootUntil(disk, {
    format: "raw",
    text: "web-check: the page is served",
    // 25 s where nothing else runs.
    timeoutMs: 180_000,
  });
  assert.match(console, /This page was baked into the image/);
});

test("the demo leaves nothing but its store", async () => {
  await assert.rejects(access(path.join(directory, "store", "daemon.sock")));
});
