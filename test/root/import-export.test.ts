import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import {
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { listLoopDevices } from "../../src/linux/devices/loop-device.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { parseEntry, unpackTarball } from "../../src/local-cloud/import/unpack-tarball.ts";
import { type CliResult, runAmibake } from "../helpers/amibake-cli.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";
import { MIB } from "../helpers/disk-store.ts";

// One store and one daemon for all of them: what a test leaves is seen by the next.
let work = "";
const store = () => join(work, "store");
const file = (name: string) => join(work, name);
const local = (...args: string[]): Promise<CliResult> => runAmibake(["local", ...args, "--store", store()]);

async function ok(...args: string[]): Promise<CliResult> {
  const result = await local(...args);
  assert.equal(result.exitCode, 0, result.stderr);
  return result;
}

async function importImage(path: string, name: string, ...args: string[]) {
  const { stdout } = await ok("import", path, "--name", name, "--json", ...args);
  return JSON.parse(stdout) as { imageId: string; snapshotId: string; sizeGib: number; dataBytes: number };
}

async function blocks(): Promise<string[]> {
  return (await readdir(join(store(), "blocks"), { recursive: true })).filter((name) => name.includes("/")).sort();
}

/** What the store holds, down to the file names. */
async function contents() {
  const names = (directory: string) => readdir(join(store(), directory));
  return {
    blocks: await blocks(),
    snapshots: await names("snapshots"),
    scratch: await names("scratch"),
    volumes: await names("volumes"),
    images: (await ok("images")).stdout,
  };
}

before(async () => {
  work = await mkdtemp(join(tmpdir(), "amibake-import-"));
  await ok("start");
});

after(async () => {
  await local("stop", "--force");
  await local("reset", "--yes");
  const left = await ourLoopDevices();
  await rm(work, { recursive: true });
  assert.deepEqual(left, []);
});

test("a raw disk comes back in every format, bit by bit", async () => {
  const disk = await tinyBaseImage({ layout: "gpt" });
  const imported = await importImage(disk, "raw", "--description", "a disk");
  assert.equal(imported.sizeGib, 1);
  for (const [format, type] of [
    ["raw", "raw"],
    ["qcow2", "qcow2"],
    ["vmdk", "vmdk"],
    ["vhd", "vpc"],
  ] as const) {
    const target = file(`out.${format}`);
    const { stdout } = await ok("export", imported.imageId, target, "--format", format);
    assert.ok(stdout.startsWith(`${target}  (${format}, `), stdout);
    // The volume is larger than the file that was imported, by zeros.
    const compared = await runCommand(["qemu-img", "compare", "-f", "raw", "-F", type, disk, target]);
    assert.match(compared.stdout.toString(), /Images are identical/);
    const info = JSON.parse(
      (await runCommand(["qemu-img", "info", "--output=json", "-f", type, target])).stdout.toString(),
    );
    assert.equal(info["virtual-size"], 1024 * MIB, format);
    assert.ok(info["actual-size"] < imported.dataBytes + 2 * MIB, `${format} is sparse`);
    if (format === "qcow2" || format === "vmdk") await runCommand(["qemu-img", "check", "-f", type, target]);
    assert.equal((await stat(target)).mode & 0o777, 0o644);
  }
  await runCommand(["e2fsck", "-fn", `${file("out.raw")}?offset=${MIB}`]);
  assert.deepEqual((await readdir(work)).sort(), ["out.qcow2", "out.raw", "out.vhd", "out.vmdk", "store"]);
});

for (const layout of ["whole-disk", "mbr-multi", "gpt-multi"] as const) {
  test(`a raw disk with the layout ${layout} is one`, async () => {
    await importImage(await tinyBaseImage({ layout }), layout);
  });
}

test("a qcow2 disk, compressed or not, has the blocks of the raw one", async () => {
  const disk = await tinyBaseImage({ layout: "gpt" });
  await importImage(disk, "raw again");
  const before = await blocks();
  await runCommand(["qemu-img", "convert", "-O", "qcow2", disk, file("disk.img")]);
  await runCommand(["qemu-img", "convert", "-c", "-O", "qcow2", disk, file("small.img")]);
  await importImage(file("disk.img"), "qcow2");
  const large = await importImage(file("small.img"), "small qcow2", "--size", "3");
  assert.equal(large.sizeGib, 3);
  assert.deepEqual(await blocks(), before);
});

test("a root file system in a tarball becomes a disk that keeps owners, modes, links, devices and attributes", async () => {
  const root = file("root");
  for (const directory of ["etc", "usr/bin", "dev", "var/empty"])
    await mkdir(join(root, directory), { recursive: true });
  await writeFile(join(root, "etc/hostname"), "local\n");
  await writeFile(join(root, "usr/bin/su"), randomBytes(100_000));
  await runCommand(["chown", "1234:5678", join(root, "etc/hostname")]);
  await chmod(join(root, "usr/bin/su"), 0o4755);
  await link(join(root, "usr/bin/su"), join(root, "usr/bin/su2"));
  await symlink("usr/bin", join(root, "bin"));
  await runCommand(["mknod", join(root, "dev/null"), "c", "1", "3"]);
  await runCommand(["setfattr", "-n", "user.note", "-v", "kept", join(root, "etc/hostname")]).catch(() =>
    // Debian's attr package may be missing; Python has the call.
    runCommand(["python3", "-c", `import os; os.setxattr("${root}/etc/hostname", "user.note", b"kept")`]),
  );
  const tar = ["tar", "--create", "--xattrs", "--directory", root];
  await runCommand([...tar, "--file", file("root.tar"), "."]);
  // Without "./" before the names, and packed; the names of the files say nothing.
  await runCommand([...tar, "--gzip", "--file", file("packed-1"), ...(await readdir(root))]);
  await runCommand([...tar, "--zstd", "--file", file("packed-2"), "."]);
  for (const name of ["root.tar", "packed-1", "packed-2"]) {
    const imported = await importImage(file(name), `tarball ${name}`);
    assert.equal(imported.sizeGib, 2);
    const target = file(`${name}.raw`);
    await ok("export", `tarball ${name}`, target);
    const device = `${target}?offset=${MIB}`;
    await runCommand(["e2fsck", "-fn", device]);
    const debugfs = async (request: string) => (await runCommand(["debugfs", "-R", request, device])).stdout.toString();
    assert.match(await debugfs("stat /etc/hostname"), /Mode: {2}0644 .*User: {2}1234 {3}Group: {2}5678/s);
    assert.match(await debugfs("ea_get /etc/hostname user.note"), /kept/);
    assert.match(await debugfs("stat /usr/bin/su"), /Mode: {2}04755 .*Links: 2/s);
    assert.match(await debugfs("stat /bin"), /Type: symlink .*Fast link dest: "usr\/bin"/s);
    assert.match(await debugfs("stat /dev/null"), /Type: character special .*Device major\/minor number: 01:03/s);
    const table = JSON.parse((await runCommand(["sfdisk", "--json", target])).stdout.toString()).partitiontable;
    assert.equal(table.label, "gpt");
    assert.deepEqual(
      table.partitions.map((partition: { name: string }) => partition.name),
      ["root"],
    );
    const label = await runCommand(["e2label", device]);
    assert.equal(label.stdout.toString().trim(), "root");
  }
  await rm(root, { recursive: true });
});

test("what is no whole disk or tarball is refused by what it is, and leaves nothing", async () => {
  const disk = await tinyBaseImage({ layout: "gpt" });
  const wholeDisk = await tinyBaseImage({ layout: "whole-disk" });
  await runCommand(["qemu-img", "convert", "-O", "qcow2", disk, file("whole.qcow2")]);
  await runCommand([
    "qemu-img",
    "create",
    "-q",
    "-f",
    "qcow2",
    "-F",
    "qcow2",
    "-b",
    file("whole.qcow2"),
    file("backed.qcow2"),
  ]);
  await runCommand(["qemu-img", "convert", "-O", "vmdk", disk, file("disk.vmdk")]);
  await runCommand([
    "tar",
    "--create",
    "--gzip",
    "--file",
    file("etc.tar.gz"),
    "--directory",
    "/etc",
    "hostname",
    "passwd",
  ]);
  await mkdir(file("top/etc"), { recursive: true });
  await mkdir(file("top/usr"));
  await writeFile(file("top/usr/data"), randomBytes(200_000));
  await runCommand(["tar", "--create", "--gzip", "--file", file("top.tar.gz"), "--directory", file("top"), "."]);
  await writeFile(file("empty"), "");
  await writeFile(file("noise"), randomBytes(64 * 1024));
  await writeFile(file("text"), "no disk\n");
  await writeFile(file("gzipped"), Buffer.concat([Buffer.from("1f8b0800", "hex"), randomBytes(1000)]));
  await cutShort(disk, file("short.raw"), 20 * MIB);
  await cutShort(disk, file("odd.raw"), 20 * MIB + 100);
  await cutShort(wholeDisk, file("short-fs.raw"), 20 * MIB);
  await cutShort(file("whole.qcow2"), file("short.qcow2"), 3 * MIB);
  await cutShort(file("whole.qcow2"), file("stub.qcow2"), 60);
  await cutShort(file("top.tar.gz"), file("short.tar.gz"), 100_000);
  const expected: Record<string, RegExp> = {
    nowhere: /there is no such file/,
    ".": /it is not a regular file/,
    empty: /it is empty/,
    noise: /it is no disk: no partition table, no file system/,
    text: /it is no disk: no partition table, no file system/,
    "short.raw": /it is cut short: it has 20 MiB of 50 MiB/,
    "odd.raw": /it is cut short: it has 20.0 MiB/,
    "short-fs.raw": /it is cut short: it has 20 MiB of 48 MiB/,
    "short.qcow2": /it is cut short or damaged/,
    "stub.qcow2": /it is cut short or damaged/,
    "backed.qcow2": /it needs another file, its backing file/,
    "disk.vmdk": /it is a VMDK image, not a raw or qcow2 disk or a tarball/,
    "etc.tar.gz": /it is an archive, but not of a root file system/,
    "short.tar.gz": /it is no tar archive, or is cut short/,
    gzipped: /it is no tar archive, or is cut short/,
  };
  const before = await contents();
  for (const [name, message] of Object.entries(expected)) {
    const result = await local("import", file(name), "--name", "bad");
    assert.equal(result.exitCode, 2, `${name}: ${result.stderr}`);
    assert.match(result.stderr, message, name);
    assert.match(result.stderr, /^Error: Cannot import "/m, name);
  }
  assert.deepEqual(await contents(), before);
});

test("an import that cannot be finished leaves nothing", async () => {
  await mkdir(file("big/etc"), { recursive: true });
  await mkdir(file("big/usr"));
  await writeFile(file("big/usr/zeros"), "");
  await truncate(file("big/usr/zeros"), 1500 * MIB);
  const tar = ["tar", "--create", "--sparse", "--zstd", "--file", file("big.tar.zst")];
  await runCommand([...tar, "--directory", file("big"), "."]);
  const disk = await tinyBaseImage({ layout: "gpt" });
  await importImage(disk, "taken");
  const before = await contents();
  const small = await local("import", file("big.tar.zst"), "--name", "big", "--size", "1");
  assert.equal(small.exitCode, 2);
  assert.match(small.stderr, /its 1.5 GiB do not fit into 1 GiB/);
  const taken = await local("import", disk, "--name", "taken");
  assert.equal(taken.exitCode, 2);
  assert.match(taken.stderr, /Cannot name an image "taken"/);
  const missing = await local("import", disk);
  assert.match(missing.stderr, /required option/);
  assert.deepEqual(await contents(), before);
});

test("unpackTarball() says when the disk is too small, and lets go of its mount and loop device", async () => {
  await mkdir(file("full/usr"), { recursive: true });
  await writeFile(file("full/usr/zeros"), Buffer.alloc(70 * MIB));
  await runCommand(["tar", "--create", "--file", file("full.tar"), "--directory", file("full"), "."]);
  const scratch = await mkdtemp(file("scratch-"));
  const { signal } = new AbortController();
  const options = { scratch, sizeBytes: 64 * MIB, architecture: "x86_64", signal } as const;
  await assert.rejects(unpackTarball(file("full.tar"), join(scratch, "disk"), options), {
    message: `Cannot unpack "${file("full.tar")}": the disk is too small`,
    hint: "Give it more room: --size GIB",
  });
  assert.deepEqual(await ourLoopDevices(), []);
  await rm(scratch, { recursive: true });
});

test("a daemon that is killed while it unpacks leaves no mount, no loop device and no image", async () => {
  await mkdir(file("slow/etc"), { recursive: true });
  await mkdir(file("slow/usr"));
  await writeFile(file("slow/usr/data"), randomBytes(200 * MIB));
  await runCommand(["tar", "--create", "--file", file("slow.tar"), "--directory", file("slow"), "."]);
  const before = await contents();
  const pid = JSON.parse((await ok("status", "--json")).stdout).pid;
  const importing = local("import", file("slow.tar"), "--name", "slow");
  for (let tries = 0; (await ourLoopDevices()).length === 0; tries++) {
    assert.ok(tries < 1000, "it never unpacked");
    await delay(5);
  }
  process.kill(pid, "SIGKILL");
  assert.notEqual((await importing).exitCode, 0);
  // The kernel takes the namespace apart, and with it mount and loop device.
  for (let tries = 0; (await ourLoopDevices()).length > 0; tries++) {
    assert.ok(tries < 400, "the loop device stays");
    await delay(10);
  }
  await ok("start");
  assert.deepEqual(await contents(), before);
});

test("export never replaces a file unless told to, and leaves nothing when it cannot", async () => {
  const disk = await tinyBaseImage({ layout: "gpt" });
  await importImage(disk, "for export");
  const target = file("target.raw");
  await writeFile(target, "precious");
  const refused = await local("export", "for export", target);
  assert.equal(refused.exitCode, 2);
  assert.match(refused.stderr, /Cannot export to ".*target.raw": the file exists\n {2}hint: Replace it with --force/);
  assert.equal(await readFile(target, "utf8"), "precious");
  const before = (await readdir(work)).sort();
  const unknown = await local("export", "ami-00000000000000000", target, "--force");
  assert.equal(unknown.exitCode, 2);
  assert.match(unknown.stderr, /the store has no such image/);
  const nowhere = await local("export", "for export", file("no/where.raw"));
  assert.equal(nowhere.exitCode, 2);
  assert.match(nowhere.stderr, /there is no directory/);
  assert.deepEqual((await readdir(work)).sort(), before);
  await ok("export", "for export", target, "--force", "--format", "qcow2");
  await runCommand(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk, target]);
});

test("the tables list what there is", async () => {
  await importImage(await tinyBaseImage({ layout: "gpt" }), "in the tables");
  const images = JSON.parse((await ok("images", "--json")).stdout) as { id: string; name: string }[];
  const image = images.find(({ name }) => name === "in the tables");
  assert.ok(image !== undefined);
  const table = (await ok("images")).stdout.split("\n");
  assert.match(table[0] ?? "", /^IMAGE +STATE +REGION +ARCH +SIZE +CREATED +NAME$/);
  assert.match(
    table.find((line) => line.startsWith(image.id)) ?? "",
    / available +us-east-1 .* 1 GiB .* in the tables$/,
  );
  assert.match((await ok("snapshots")).stdout, /^SNAPSHOT .*\nsnap-[0-9a-f]+ +completed /);
  assert.match((await ok("volumes")).stdout, /^VOLUME +STATE/);
  assert.deepEqual(JSON.parse((await ok("volumes", "--json")).stdout), []);
});

test("parseEntry() reads tar's listing", () => {
  assert.deepEqual(parseEntry("-rw-r--r-- 0/0            1234 2026-11-23 09:16 ./etc/host name"), {
    topName: "etc",
    sizeBytes: 1234,
  });
  assert.deepEqual(parseEntry("crw-rw-rw- 0/0             1,3 2026-11-23 09:16 dev/null"), {
    topName: "dev",
    sizeBytes: 0,
  });
  assert.deepEqual(parseEntry("drwxr-xr-x 0/0               0 2026-11-23 09:16 ./"), { topName: "", sizeBytes: 0 });
  assert.deepEqual(parseEntry("lrwxrwxrwx 0/0               0 2026-11-23 09:16 bin -> usr/bin"), {
    topName: "bin",
    sizeBytes: 0,
  });
  assert.deepEqual(parseEntry("-rwsr-xr-x* 0/0              5 2026-11-23 09:16 /usr/bin/su"), {
    topName: "usr",
    sizeBytes: 5,
  });
  assert.equal(parseEntry("tar: Removing leading `/' from member names"), undefined);
});

async function ourLoopDevices() {
  return (await listLoopDevices()).filter(({ backingFile }) => backingFile.startsWith(work));
}

async function cutShort(source: string, target: string, sizeBytes: number): Promise<void> {
  await copyFile(source, target);
  await truncate(target, sizeBytes);
}
