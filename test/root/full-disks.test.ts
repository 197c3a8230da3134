// Full disks, of the image and of the host: each is one clear error with a way out, and never an image with lost writes.
import assert from "node:assert/strict";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { makeGate } from "../helpers/gate.ts";
import { buildAsJson } from "../helpers/json-build.ts";
import { fillDirectory, smallFileSystem, temporaryDirectory } from "../helpers/small-file-system.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

const ROOM = /growpart, resize2fs/;
const fill = (path: string) => `dd if=/dev/zero of=${path} bs=64k 2>/dev/null || :`;

test("a full file system of the image is named, with its size and the way to a larger one", async () => {
  await using cloud = await startTestCloud();
  const upload = await buildAsJson(cloud, {}, [
    { type: "shell", inline: [fill("/filler")] },
    { type: "file", source: process.execPath, destination: "/opt/node" },
  ]);
  assert.equal(upload.exitCode, 1, upload.output);
  assert.match(upload.error?.causes[0] ?? "", /^Cannot upload "\S+" to "\/opt\/node" in the image: ENOSPC/);
  assert.match(upload.error?.hint ?? "", ROOM);
  assert.match(upload.error?.hint ?? "", /\(the image's root file system is full: it has \d[\d.]* MiB\)$/);
  assert.deepEqual([upload.error?.cleanup, upload.made], [[], []]);

  const script = await buildAsJson(cloud, {}, [
    { type: "shell", inline: ["dd if=/dev/zero of=/filler bs=64k", "echo not reached"] },
  ]);
  assert.equal(script.error?.code, "ERR_PROVISIONER_FAILED", script.output);
  assert.match(script.error?.causes[0] ?? "", /its last lines:\n.*No space left on device/s);
  assert.match(script.error?.hint ?? "", /full: it has \d[\d.]* MiB\)$/);
  assert.deepEqual([script.error?.cleanup, script.made], [[], []]);

  const other = await buildAsJson(cloud, {}, [{ type: "shell", inline: ["exit 3"] }]);
  assert.doesNotMatch(other.error?.hint ?? "", ROOM);
});

test("a host file that the image's file system has no room for is named", async () => {
  await using cloud = await startTestCloud();
  const large = join(cloud.scratch, "large");
  await (await open(large, "w")).close();
  await runCommand(["fallocate", "--length", "80MiB", large]);
  const build = await buildAsJson(cloud, { copy_files: [large] }, [{ type: "shell", inline: ["true"] }]);
  assert.equal(build.error?.code, "ERR_COPY_FILE", build.output);
  assert.match(build.error?.message ?? "", /^Cannot copy "\S+\/large" into the image: ENOSPC/);
  assert.match(build.error?.hint ?? "", ROOM);
  assert.deepEqual([build.error?.cleanup, build.made, build.exitCode], [[], [], 1]);
});

test("a full disk of the host is named where a download goes", async () => {
  await using cloud = await startTestCloud();
  await using small = await smallFileSystem(join(cloud.scratch, "small"), "1m");
  const build = await buildAsJson(cloud, {}, [
    { type: "file", direction: "download", source: "/usr/bin/busybox", destination: `${small.path}/` },
  ]);
  assert.match(build.error?.causes[0] ?? "", /^Cannot download "\/usr\/bin\/busybox".*: ENOSPC/, build.output);
  assert.match(build.error?.hint ?? "", /^Make room on this host, or name another destination/);
  assert.deepEqual([build.error?.cleanup, build.made, build.exitCode], [[], [], 1]);
});

test("a directory for temporary files that takes none stops no build", async () => {
  await using cloud = await startTestCloud();
  await using small = await smallFileSystem(join(cloud.scratch, "tmp"), "64k,nr_inodes=32");
  await fillDirectory(small.path);
  const script = [{ type: "shell", inline: ["true"] }];
  const full = await buildAsJson(cloud, {}, script, { env: { TMPDIR: small.path } });
  assert.equal(full.exitCode, 0, full.output);
  for (let count = 0; count < 28; count++) await (await open(join(small.path, String(count)), "w")).close();
  const without = await buildAsJson(cloud, {}, script, { env: { TMPDIR: small.path } });
  assert.equal(without.exitCode, 0, without.output);
});

test("what the disk under the image did not take is no image", async () => {
  await using directory = await temporaryDirectory();
  await using small = await smallFileSystem(join(directory.path, "store"), "200m");
  await using cloud = await startTestCloud({ storeParent: small.path });
  const gate = await makeGate(cloud);
  const script = `echo now; ${gate.wait}; dd if=/dev/urandom of=/big bs=64k count=300`;
  const build = await buildAsJson(cloud, { chroot_mounts: gate.chroot_mounts }, [{ type: "shell", inline: [script] }], {
    onStart: (child) =>
      void child.printed('"line":"now"').then(async () => {
        await fillDirectory(small.path);
        await gate.open();
      }),
  });
  // The script saw nothing of it: what it wrote was still in memory.
  assert.match(build.output, /300\+0 records out/);
  assert.equal(build.error?.code, "ERR_LOST_WRITES", build.output);
  assert.match(
    build.error?.message ?? "",
    /^Cannot keep what was written to "\/dev\/\w+": its disk did not take all of it$/,
  );
  assert.match(build.error?.hint ?? "", /the store's file system is full \(df\)/);
  assert.deepEqual([build.made, build.exitCode], [[], 1]);
});

test("a full disk for the journal stops a build before it makes anything", async () => {
  await using cloud = await startTestCloud();
  for (const size of ["4k,nr_inodes=2", "64k,nr_inodes=9"]) {
    await using small = await smallFileSystem(join(cloud.scratch, `state-${size}`), size);
    await fillDirectory(small.path);
    const build = await buildAsJson(cloud, {}, [], { env: { AMIBAKE_STATE_DIR: small.path } });
    assert.equal(build.error?.code, "ERR_JOURNAL", build.output);
    assert.match(build.error?.message ?? "", /^Cannot write the journal ".+"$/);
    assert.match(build.error?.causes.join("\n") ?? "", /ENOSPC/);
    assert.match(build.error?.hint ?? "", /^Make room there, or set AMIBAKE_STATE_DIR/);
    assert.deepEqual([build.error?.cleanup, build.made, build.exitCode], [[], [], 4]);
  }
});
