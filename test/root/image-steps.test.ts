// The steps of a build between "attached" and "detached", on a real disk.
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { mountChroot } from "../../src/build/image-root/chroot-mounts.ts";
import { copyFiles } from "../../src/build/image-root/copy-files.ts";
import { findRootPartition } from "../../src/build/image-root/find-root-partition.ts";
import { mountRoot } from "../../src/build/image-root/mount-root.ts";
import { plainText } from "../../src/template/deferred.ts";
import type { DiskLayout } from "../helpers/disk-layouts.ts";
import { readHostMounts } from "../helpers/host-state.ts";
import { communicatorOf } from "../helpers/image-commands.ts";
import { openImageFixture } from "../helpers/image-fixture.ts";

const never = new AbortController().signal;

const layouts: [DiskLayout, reason: RegExp][] = [
  ["gpt", /the only one/],
  ["whole-disk", /a file system on the whole disk/],
  ["mbr-multi", /booting or swapping|default/],
  ["gpt-multi", /type|label|booting/],
];
for (const [layout, reason] of layouts) {
  test(`the root of a "${layout}" disk is found and mounted`, async () => {
    await using fixture = await openImageFixture({ layout });
    const found = await findRootPartition(fixture.device, undefined, never);
    assert.match(found.reason, reason);
    await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
    const path = fixture.sandbox.pathFromHere(join(root.mountpoint, "etc/amibake-test-layout"));
    assert.equal((await readFile(path, "utf8")).trim(), layout);
  });
}

test("mount_partition decides, and one that is not there is an error that lists what is", async () => {
  await using fixture = await openImageFixture({ layout: "gpt" });
  assert.match((await findRootPartition(fixture.device, "1", never)).devicePath, /p1$/);
  assert.equal((await findRootPartition(fixture.device, "0", never)).devicePath, fixture.device);
  await assert.rejects(findRootPartition(fixture.device, "7", never), {
    message: `Cannot find partition 7 on "${fixture.device}": it has 1`,
    hint: "Set mount_partition: a partition's number, or 0 for the whole disk",
  });
});

test("mountRoot() leaves neither a mount nor a directory, and fails clearly on what is no file system", async () => {
  await using fixture = await openImageFixture({ config: { mount_partition: "0" } });
  await assert.rejects(mountRoot(fixture.context, fixture.sandbox, fixture.device), {
    message: `Cannot mount "${fixture.device}" on "${fixture.scratch}/mnt": it holds a partition table (gpt), not a file system`,
  });
  await assert.rejects(readFile(join(fixture.scratch, "mnt")), { code: "ENOENT" });
});

test("mountRoot() unmounts what a provisioner mounted, and shows nothing of it to the host", async () => {
  const before = await readHostMounts();
  await using fixture = await openImageFixture();
  {
    await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
    await mountChroot(
      { ...fixture.context, config: { ...fixture.context.config, chroot_mounts: [["proc", "proc", "/proc"]] } },
      fixture.sandbox,
      root.mountpoint,
    );
    const { run } = communicatorOf(fixture, root.mountpoint);
    await run("mount -t tmpfs tmpfs /tmp && mkdir /tmp/deep && mount -t tmpfs tmpfs /tmp/deep");
    assert.equal(await readHostMounts(), before);
  }
  assert.equal(await readHostMounts(), before);
});

test("an unmount that stays busy fails and names the holder", async () => {
  await using fixture = await openImageFixture();
  const root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  await fixture.sandbox.run(["/bin/sh", "-c", `cd ${root.mountpoint} && exec setsid sleep 64 >/dev/null 2>&1 &`]);
  await assert.rejects(
    async () => root[Symbol.asyncDispose](),
    (error: Error) => {
      assert.match(error.message, /^Cannot unmount "[^"]+"; in use by process \d+ \(sleep 64\): cwd/);
      return true;
    },
  );
});

test("chroot_mounts: a symlink of the image does not lead a mount to the host", async () => {
  await using fixture = await openImageFixture();
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { run } = communicatorOf(fixture, root.mountpoint);
  await run("mkdir /inside && ln -s /inside /link");
  await mountChroot(
    { ...fixture.context, config: { ...fixture.context.config, chroot_mounts: [["tmpfs", "tmpfs", "/link/deep"]] } },
    fixture.sandbox,
    root.mountpoint,
  );
  const table = await fixture.sandbox.mountTable();
  assert.ok(table.some(({ mountpoint }) => mountpoint === `${root.mountpoint}/inside/deep`));
});

test("commands in the image get exactly the words written, the given environment, and no host process", async () => {
  await using fixture = await openImageFixture();
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { run } = communicatorOf(fixture, root.mountpoint, {
    environment: { GREETING: "a$HOME `id` 'b' \"c\"" },
  });
  assert.deepEqual(await run('printf "%s\\n" "$GREETING"'), ["a$HOME `id` 'b' \"c\""]);
  assert.deepEqual(await run("echo one\necho two; pwd"), ["one", "two", "/"]);
  assert.deepEqual(await run("echo '$HOME' \\$x"), ["$HOME $x"]);
});

test("copy_files gives back what it covered: a file, a dangling symlink, nothing", async () => {
  await using fixture = await openImageFixture();
  const covered = ["file", "link", "absent", "replaced", "edited", "removed"].map((name) =>
    join(fixture.scratch, name),
  );
  for (const path of covered) await writeFile(path, "of the host\n");
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { run } = communicatorOf(fixture, root.mountpoint);
  const [file, link, absent, replaced, edited, removed] = covered;
  await run(`mkdir -p ${fixture.scratch}; cd ${fixture.scratch}
    echo original >${file}; chmod 600 ${file}; ln -s /run/nowhere ${link}
    for each in ${replaced} ${edited} ${removed}; do echo original >$each; done`);
  const config = { ...fixture.context.config, copy_files: covered };
  {
    await using _copied = await copyFiles({ ...fixture.context, config }, fixture.sandbox, root.mountpoint);
    assert.deepEqual(await run(`cat ${file} ${link} ${absent}`), ["of the host", "of the host", "of the host"]);
    await run(`rm ${replaced}; ln -s /etc/hosts ${replaced}; echo more >>${edited}; rm ${removed}`);
  }
  assert.deepEqual(await run(`cat ${file}; stat -c %a ${file}; readlink ${link}; test ! -e ${absent} && echo gone`), [
    "original",
    "600",
    "/run/nowhere",
    "gone",
  ]);
  assert.deepEqual(
    await run(`readlink ${replaced}; cat ${edited} ${removed}; ls -A ${fixture.scratch} | grep -c saved || :`),
    ["/etc/hosts", "of the host", "more", "original", "0"],
  );
});

test("copy_files leaves the host alone where a provisioner has put a link to it in place of a directory", async () => {
  await using fixture = await openImageFixture();
  const { scratch } = fixture;
  const inNew = join(scratch, "new/deep/file");
  const inOld = join(scratch, "old/file");
  for (const path of [inNew, inOld]) await mkdir(dirname(path), { recursive: true });
  for (const path of [inNew, inOld]) await writeFile(path, "of the host\n");
  // The directory that undoing would remove, if it followed the link to the host.
  await mkdir(join(scratch, "victim/deep"), { recursive: true });
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { run } = communicatorOf(fixture, root.mountpoint);
  await run(`mkdir -p ${scratch}/old; echo original >${inOld}`);
  const config = { ...fixture.context.config, copy_files: [inNew, inOld] };
  {
    await using _copied = await copyFiles({ ...fixture.context, config }, fixture.sandbox, root.mountpoint);
    await run(`cd ${scratch}; for each in new old; do mv $each was-$each; ln -s ${scratch}/victim $each; done`);
  }
  assert.deepEqual(await readdir(join(scratch, "victim")), ["deep"]);
  assert.deepEqual(await readdir(join(scratch, "old")), ["file"]);
  assert.deepEqual(await run(`cd ${scratch}; cat was-old/file; ls -A was-old; ls -A was-new/deep`), [
    "original",
    "file",
  ]);
});

test("copy_files names a file that the host does not have, and leaves the image as it was", async () => {
  await using fixture = await openImageFixture();
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const config = { ...fixture.context.config, copy_files: ["/etc/resolv.conf", "/etc/no-such-file"] };
  const { run } = communicatorOf(fixture, root.mountpoint);
  const before = await run("cat /etc/resolv.conf; ls -A /etc");
  await assert.rejects(copyFiles({ ...fixture.context, config }, fixture.sandbox, root.mountpoint), {
    message: /^Cannot copy "\/etc\/no-such-file" into the image: ENOENT/,
  });
  assert.deepEqual(await run("cat /etc/resolv.conf; ls -A /etc"), before);
});

test("transfers stay in the image, keep modes, and follow the image's links inside it", async () => {
  await using fixture = await openImageFixture();
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { communicator, run, ended } = communicatorOf(fixture, root.mountpoint);
  const outside = join(fixture.scratch, "victim");
  await writeFile(outside, "untouched\n");
  await run(
    `mkdir -p ${fixture.scratch} /real; ln -s ${outside} /trap; ln -s /real /etc/linked; ln -s ../../../../../../../trap /climb`,
  );

  await communicator.uploadBytes(Buffer.from("uploaded\n"), "/climb", { signal: never });
  await communicator.uploadBytes(Buffer.from("script\n"), "/etc/linked/script.sh", { mode: 0o755, signal: never });
  assert.equal(await readFile(outside, "utf8"), "untouched\n");
  assert.deepEqual(await run(`cat ${outside} /real/script.sh; stat -c %a /real/script.sh`), [
    "uploaded",
    "script",
    "755",
  ]);

  await communicator.removeFile("/climb");
  await communicator.removeFile("/not/there");
  await communicator.removeFile("/etc/linked/script.sh");
  assert.equal(await readFile(outside, "utf8"), "untouched\n");
  assert.deepEqual(await run(`ls /climb /real/script.sh 2>/dev/null || cat ${outside}`), ["uploaded"]);

  const tree = join(fixture.scratch, "tree");
  await mkdir(join(tree, "sub"), { recursive: true });
  await writeFile(join(tree, "sub/run"), "#!/bin/sh\n", { mode: 0o750 });
  await communicator.uploadDirectory(tree, "/opt", { signal: never });
  await communicator.uploadDirectory(`${tree}/`, "/content", { signal: never });
  assert.deepEqual(await run("stat -c %a /opt/tree/sub/run /content/sub/run"), ["750", "750"]);

  // A shell without a terminal starts its background commands with /dev/null.
  await run("mkdir -p /dev; : >>/dev/null; sleep 65 >/tmp/out 2>&1 &");
  await communicator.downloadDirectory("/opt/tree/", join(fixture.scratch, "back"), { signal: never });
  assert.equal(await readFile(join(fixture.scratch, "back/sub/run"), "utf8"), "#!/bin/sh\n");
  assert.deepEqual(ended, ["sleep 65"]);
  await run("ln -s /etc/amibake-test-layout /shadow");
  await communicator.downloadFile("/shadow", join(fixture.scratch, "shadow"), { signal: never });
  assert.equal((await readFile(join(fixture.scratch, "shadow"), "utf8")).trim(), "gpt");
  await assert.rejects(communicator.downloadFile("/none", join(fixture.scratch, "none"), { signal: never }), {
    message: `Cannot download "/none" of the image to "${fixture.scratch}/none": "/none" does not exist in the image`,
  });
});

test("cancelling ends the command in the image", async () => {
  const controller = new AbortController();
  await using fixture = await openImageFixture();
  await using root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const { communicator } = communicatorOf(fixture, root.mountpoint);
  const running = communicator.run("echo started; sleep 66", {
    signal: controller.signal,
    onLine: () => controller.abort(new Error("Received SIGINT")),
  });
  await assert.rejects(running, { message: "Received SIGINT" });
  assert.deepEqual(await fixture.sandbox.endProcesses(0), []);
});

test("mount_path may name the device", async () => {
  await using fixture = await openImageFixture();
  const device = fixture.device.replace("/dev/", "");
  const mountPath = { ...plainText("x"), render: ({ Device = "" }) => join(fixture.scratch, "volumes", Device) };
  const config = { ...fixture.context.config, mount_path: mountPath };
  await using root = await mountRoot({ ...fixture.context, config }, fixture.sandbox, fixture.device);
  assert.equal(root.mountpoint, join(fixture.scratch, "volumes", device));
});
