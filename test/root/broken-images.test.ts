// Images that cannot be built on: each is one clear error with a way out, and leaves nothing.
import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { type DiskArchitecture, HOST_ARCHITECTURE } from "../helpers/ask-cloud.ts";
import { type DiskFile, importChanged, ROOT_OFFSET_BYTES, replaceRoot } from "../helpers/broken-disk.ts";
import { buildAsJson } from "../helpers/json-build.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

const SCRIPT = [{ type: "shell", inline: ["echo provisioning"] }];

interface Case {
  readonly what: string;
  readonly change?: (disk: DiskFile) => Promise<unknown>;
  readonly importOptions?: { readonly architecture: DiskArchitecture };
  readonly builder?: Readonly<Record<string, unknown>>;
  readonly code: string;
  readonly message: RegExp;
  readonly hint: RegExp;
  readonly exitCode?: number;
}

/** Of another machine than this one. */
const FOREIGN = { architecture: HOST_ARCHITECTURE === "arm64" ? "x86_64" : "arm64" } as const;
const SHELL = 'Cannot run scripts with "/bin/sh" of the image';

const CASES: readonly Case[] = [
  {
    what: "without a shell",
    change: (disk) => disk.debugfs("rm /usr/bin/sh"),
    code: "ERR_NO_SHELL",
    message: new RegExp(`^${SHELL}: it does not exist$`),
    hint: /mount_partition/,
  },
  {
    what: "whose merged /usr is gone",
    change: (disk) => disk.debugfs("rm /bin", "symlink /bin /nowhere/bin"),
    code: "ERR_NO_SHELL",
    message: /: it does not exist$/,
    hint: /mount_partition/,
  },
  {
    what: "whose shell is a link to itself",
    change: (disk) => disk.debugfs("rm /usr/bin/sh", "symlink /usr/bin/sh sh"),
    code: "ERR_NO_SHELL",
    message: /too many levels of symbolic links$/,
    hint: /mount_partition/,
  },
  {
    what: "whose shell is not executable",
    change: (disk) => disk.debugfs("set_inode_field /usr/bin/sh mode 0100644"),
    code: "ERR_NO_SHELL",
    message: /: it is not executable$/,
    hint: /chmod 755/,
  },
  {
    what: "whose shell has no loader",
    change: async (disk) => disk.debugfs(`rm /usr${await loaderOf("/bin/sh")}`),
    code: "ERR_NO_SHELL",
    message: /: it is loaded by "\/lib\S+", which does not exist$/,
    hint: /C library/,
  },
  {
    what: "whose shell is for another machine",
    change: replaceShellByForeign,
    code: "ERR_NO_SHELL",
    message: /: it is a program for (?:s390x|ppc64le), and this host is \S+$/,
    hint: /qemu-user-static/,
  },
  {
    what: "of another architecture",
    importOptions: FOREIGN,
    code: "ERR_ARCHITECTURE",
    message: /^Cannot run the programs of "ami-\w+": they are for \w+, and this host is \w+$/,
    hint: /apt-get install qemu-user-static binfmt-support/,
    exitCode: 4,
  },
  {
    what: "with a damaged file system",
    // The size in blocks and the first descriptor of a block group.
    change: async (disk) => {
      await disk.write(ROOT_OFFSET_BYTES + 1024 + 0x18, Buffer.from([9, 0, 0, 0]));
      await disk.write(ROOT_OFFSET_BYTES + 4096, Buffer.alloc(4096, 0xa5));
    },
    code: "ERR_MOUNT_FAILED",
    message: /^Cannot mount "\/dev\/\w+" on "[^"]+": its ext4 may be damaged/,
    hint: /e2fsck -f DEVICE/,
  },
  {
    what: "with swap for a root",
    change: (disk) => replaceRoot(disk, swapHeader(), 1024),
    code: "ERR_MOUNT_FAILED",
    message: /: it is swap space, not a file system$/,
    hint: /mount_partition/,
  },
  {
    what: "with LUKS",
    change: (disk) => replaceRoot(disk, luksHeader()),
    code: "ERR_MOUNT_FAILED",
    message: /: it is encrypted by LUKS, not a file system$/,
    hint: /EBS encrypts volumes/,
  },
  {
    what: "with LVM",
    change: (disk) => replaceRoot(disk, lvmLabel(), 512),
    code: "ERR_MOUNT_FAILED",
    message: /: it is a physical volume of LVM, not a file system$/,
    hint: /plain partition/,
  },
  {
    what: "with nothing for a root",
    change: (disk) => replaceRoot(disk, new Uint8Array(1)),
    code: "ERR_MOUNT_FAILED",
    message: /: it holds no file system that is known$/,
    hint: /mount_partition/,
  },
  {
    what: "with a file system that the kernel does not have",
    change: (disk) => replaceRoot(disk, jfsSuperblock(), 0x8000),
    code: "ERR_MOUNT_FAILED",
    message: /: it holds jfs, which this host's kernel does not have$/,
    hint: /modprobe jfs/,
  },
  {
    what: "that can only be read",
    change: (disk) => runCommand(["tune2fs", "-O", "read-only", `${disk.path}?offset=${ROOT_OFFSET_BYTES}`]),
    code: "ERR_READ_ONLY",
    message: /^Cannot change the root file system of "\/dev\/\w+" \(ext4\): it is mounted read-only$/,
    hint: /this host's kernel can only read/,
  },
  {
    what: "that mount_options make read-only",
    builder: { mount_options: ["noatime,ro"] },
    code: "ERR_READ_ONLY",
    message: /it is mounted read-only$/,
    hint: /^Take "ro" out of mount_options$/,
  },
  {
    what: "mounted with an option that does not exist",
    builder: { mount_options: ["no_such_option"] },
    code: "ERR_MOUNT_FAILED",
    message: /: its ext4 may be damaged, or an option of mount_options be wrong$/,
    hint: /dmesg/,
  },
  {
    what: "with a partition table that has no partition",
    change: (disk) => runCommand(["sfdisk", "--quiet", "--wipe=never", disk.path], { input: "label: gpt\n" }),
    code: "ERR_PARTITION",
    message: /^Cannot find partition 1 on "\/dev\/\w+": its partition table is empty$/,
    hint: /mount_partition/,
  },
  {
    what: "with a damaged GUID partition table",
    change: async (disk) => {
      const { size } = await stat(disk.path);
      await disk.write(512, new Uint8Array(512));
      await disk.write(size - 512, new Uint8Array(512));
    },
    code: "ERR_PARTITION",
    message: /GUID partition table/,
    hint: /sgdisk/,
  },
  {
    what: "without the partition that mount_partition names",
    builder: { mount_partition: "7" },
    code: "ERR_PARTITION",
    message: /^Cannot find partition 7 on "\/dev\/\w+": it has 1$/,
    hint: /mount_partition/,
  },
];

for (const { what, change, importOptions, builder, code, message, hint, exitCode = 1 } of CASES) {
  test(`an image ${what} is refused, and nothing is left`, async () => {
    const source = change || importOptions ? await importChanged(cloud, change ?? nothing, importOptions) : undefined;
    const build = await buildAsJson(cloud, { ...(source && { source_ami: source }), ...builder }, SCRIPT);
    assert.equal(build.error?.code, code, build.output);
    assert.match(build.error?.message ?? "", message);
    assert.match(build.error?.hint ?? "", hint);
    assert.deepEqual(build.error?.cleanup, []);
    assert.equal(build.exitCode, exitCode);
    assert.deepEqual(
      build.made.filter((id) => !id.startsWith("ami-") || id !== source),
      [],
    );
  });
}

test("an image without a shell takes files", async () => {
  const source_ami = await importChanged(cloud, (disk) => disk.debugfs("rm /usr/bin/sh"));
  const build = await buildAsJson(cloud, { source_ami }, [{ type: "file", content: "x", destination: "/etc/x" }]);
  assert.equal(build.exitCode, 0, build.output);
});

test("scripts that run only after a failure need a shell and the right architecture too", async () => {
  const files = [{ type: "file", content: "x", destination: "/etc/x" }];
  const more = { "error-cleanup-provisioner": { type: "shell", inline: ["echo tidying"] } };
  for (const [source_ami, code] of [
    [await importChanged(cloud, (disk) => disk.debugfs("rm /usr/bin/sh")), "ERR_NO_SHELL"],
    [await importChanged(cloud, nothing, FOREIGN), "ERR_ARCHITECTURE"],
  ]) {
    const build = await buildAsJson(cloud, { source_ami }, files, { more });
    assert.equal(build.error?.code, code, build.output);
  }
});

const nothing = () => Promise.resolve();

async function loaderOf(program: string): Promise<string> {
  const { stdout } = await runCommand(["ldd", program]);
  return /^\s*(\/lib\S*ld-\S+)/m.exec(stdout.toString())?.[1] ?? "";
}

/** The header alone is enough: it is not started. */
async function replaceShellByForeign(disk: DiskFile): Promise<void> {
  const shell = await readFile("/bin/sh");
  shell.writeUInt16LE(22, 18);
  const path = join(cloud.scratch, "foreign-sh");
  await writeFile(path, shell);
  await disk.debugfs("rm /usr/bin/sh", `write ${path} /usr/bin/sh`, "set_inode_field /usr/bin/sh mode 0100755");
}

/** mm/swapfile.c: version and last page at 1024, the magic at the end of the first page. */
function swapHeader(): Buffer {
  const header = Buffer.alloc(3072);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(500, 4);
  header.write("SWAPSPACE2", 4086 - 1024);
  return header;
}

function luksHeader(): Buffer {
  const header = Buffer.alloc(592);
  header.set(Buffer.from("LUKS\xba\xbe\x00\x01", "latin1"));
  header.write("7a1f3d52-0000-4000-8000-000000000001", 168);
  return header;
}

/** lvm2/lib/format_text/layout.h: the label of a physical volume, whose CRC starts at its byte 20. */
function lvmLabel(): Buffer {
  const label = Buffer.alloc(512);
  label.write("LABELONE");
  label.writeBigUInt64LE(1n, 8);
  label.writeUInt32LE(32, 20);
  label.write("LVM2 001", 24);
  label.write("abcdefghijklmnopqrstuvwxyz012345", 32);
  let crc = 0xf597a6cf;
  for (const byte of label.subarray(20)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  label.writeUInt32LE(crc >>> 0, 16);
  return label;
}

/** include/linux/jfs: magic, version, size in 512-byte blocks, block size and its logarithms. */
function jfsSuperblock(): Buffer {
  const superblock = Buffer.alloc(512);
  superblock.write("JFS1");
  superblock.writeUInt32LE(1, 4);
  superblock.writeUInt32LE(4096, 16);
  superblock.writeUInt16LE(12, 20);
  superblock.writeUInt16LE(3, 22);
  superblock.writeUInt32LE(512, 24);
  superblock.writeUInt16LE(9, 28);
  return superblock;
}
