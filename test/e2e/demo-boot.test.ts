import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { hostEnvironment, runCommand, runToExit } from "../../src/linux/run-command.ts";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { bootUntil } from "../helpers/boot-disk.ts";

interface Baked {
  readonly output: string;
  readonly store: string;
  /** The image's disk, exported. */
  readonly disk: string;
  /** As e2fsprogs' tools take a file system inside a disk file. */
  readonly rootFileSystem: string;
}

let directory: string;
let baked: Baked | undefined;

before(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "demo-"));
});

after(() => rm(directory, { recursive: true, force: true }));

test("the demo bakes an image, and tells how to export it", async () => {
  const store = path.join(directory, "store");
  const output = await runDemo(store);
  const image = /local export (ami-[0-9a-f]+)/.exec(output)?.[1];
  assert.ok(image !== undefined, `The demo names no image to export:\n${output}`);
  const disk = path.join(directory, "exported.raw");
  const exported = await runAmibake(["local", "export", image, disk, "--format", "raw", "--store", store]);
  assert.equal(exported.exitCode, 0, exported.stderr);
  const { stdout } = await runCommand(["sfdisk", "--json", disk]);
  const table: { partitiontable: { partitions: readonly { start: number }[] } } = JSON.parse(stdout.toString());
  const rootFileSystem = `${disk}?offset=${(table.partitiontable.partitions[0]?.start ?? 0) * 512}`;
  baked = { output, store, disk, rootFileSystem };
});

async function runDemo(store: string): Promise<string> {
  const { PATH = "", HOME = "/root", XDG_CACHE_HOME } = process.env;
  const environment = { ...hostEnvironment(), PATH, HOME, AMIBAKE_LOCAL_STORE: store };
  const lines: string[] = [];
  const { exitCode } = await runToExit(["scripts/demo"], {
    env: XDG_CACHE_HOME === undefined ? environment : { ...environment, XDG_CACHE_HOME },
    onLine: (_stream, line) => lines.push(line),
  });
  assert.equal(exitCode, 0, lines.join("\n"));
  return lines.join("\n");
}

function bakedImage(): Baked {
  assert.ok(baked !== undefined, "the demo failed, see above");
  return baked;
}

async function readImageFile(file: string): Promise<string> {
  // debugfs ends with 0 whatever happens, and tells on standard error.
  const { stdout, stderrTail } = await runCommand(["debugfs", "-R", `cat ${file}`, bakedImage().rootFileSystem]);
  assert.match(stderrTail, /^debugfs [^\n]+\n$/);
  return stdout.toString();
}

test("the demo shows the image, its snapshot and how long each step took", () => {
  const { output } = bakedImage();
  assert.match(output, /ami-[0-9a-f]{17}/);
  assert.match(output, /snap-[0-9a-f]{17}/);
  assert.match(output, /\d\.\d ?s/);
});

test("the exported disk is sparse, and its root file system is sound", async () => {
  const { disk, rootFileSystem } = bakedImage();
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

test("no service was started while the image was baked", async () => {
  const { output } = bakedImage();
  assert.match(output, /Packages start no services while the image is provisioned/);
  assert.match(output, /policy-rc\.d denied execution of start/);
  assert.doesNotMatch(output, /left in the image/);
});

test("the image has its own resolv.conf back, and nothing of the machine that baked it", async () => {
  assert.equal(await readImageFile("/etc/resolv.conf"), "");
  for (const gone of ["/usr/sbin/policy-rc.d", "/tmp/script.sh"]) {
    await assert.rejects(readImageFile(gone), /File not found by ext2_lookup/);
  }
});

test("the image boots until its web server answers", async (context) => {
  const console = await bootUntil(bakedImage().disk, {
    format: "raw",
    text: "web-check: the page is served",
    // 25 s where nothing else runs.
    timeoutMs: 120_000,
    onHang: (why) => context.diagnostic(`again: ${why}`),
  });
  assert.match(console, /This page was baked into the image/);
});

test("the demo leaves nothing that runs", async () => {
  const status = await runAmibake(["local", "status", "--store", bakedImage().store]);
  assert.equal(status.exitCode, 1, status.stdout);
});
