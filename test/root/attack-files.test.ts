// Images in which a build meets other things than files: FIFOs, devices, sockets, immutable files, endless names.
import assert from "node:assert/strict";
import { chmod, link, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { attack, importAttackImage, script } from "../helpers/attack-image.ts";
import { installProgram } from "../helpers/root-tree.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
let imageId: string;
let local: string;

const CHATTR = { from: "/usr/bin/chattr", to: "usr/bin/chattr" };
const MANY = 1000;

before(async () => {
  cloud = await startTestCloud();
  local = join(cloud.scratch, "local");
  await writeFile(local, "of the host\n");
  imageId = await importAttackImage(cloud, async (tree) => {
    await installProgram(tree, CHATTR);
    await rm(join(tree, "etc/resolv.conf"));
    await mkdir(join(tree, "opt/mixed"));
    const fifos = ["etc/resolv.conf", "opt/FIFO", "opt/mixed/fifo"].map((path) => join(tree, path));
    await runCommand(["mkfifo", ...fifos]);
    await runCommand(["mknod", join(tree, "opt/character device"), "c", "1", "3"]);
    await runCommand(["mknod", join(tree, "opt/block device"), "b", "7", "200"]);
    await makeSocket(join(tree, "opt/socket"));
    await mkdir(join(tree, "opt/directory"));
    await writeFile(join(tree, "opt/setuid"), "#!/bin/sh\n");
    await chmod(join(tree, "opt/setuid"), 0o6755);
    await mkdir(join(tree, "opt/many"));
    for (let index = 0; index < MANY; index++) await link(join(tree, "opt/setuid"), join(tree, "opt/many", `${index}`));
  });
});
after(() => cloud[Symbol.asyncDispose]());

/** The node stays when nobody listens any more. */
async function makeSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.new`, resolve));
  await link(`${path}.new`, path);
  await new Promise((resolve) => server.close(resolve));
}

const ODD = ["FIFO", "character device", "block device", "socket"];

test("a FIFO at /etc/resolv.conf is given back, and holds nothing up", async () => {
  const first = await attack(cloud, { source_ami: imageId }, [script("test -f /etc/resolv.conf")]);
  const second = await attack(cloud, { source_ami: first.imageId, copy_files: [] }, [
    script("test -p /etc/resolv.conf && echo FIFO"),
  ]);
  assert.deepEqual(second.output, ["FIFO"], first.failure + second.failure);
});

for (const kind of ODD) {
  test(`a ${kind} is neither written nor read`, async () => {
    const path = `/opt/${kind}`;
    const refused = new RegExp(`"${path}" is a ${kind}, not a regular file`);
    const written = [
      { type: "file", source: local, destination: path },
      { type: "file", content: "x", destination: path },
      { ...script("echo never"), remote_path: path },
      { type: "file", direction: "download", source: path, destination: join(cloud.scratch, "never") },
    ];
    for (const provisioner of written) {
      const { failure } = await attack(cloud, { source_ami: imageId }, [provisioner]);
      assert.match(failure, refused);
    }
    await assert.rejects(stat(join(cloud.scratch, "never")), { code: "ENOENT" });
  });
}

test("a directory that holds a FIFO is not downloaded, and a FIFO of the host is not uploaded", async () => {
  const into = join(cloud.scratch, "mixed");
  const download = { type: "file", direction: "download", source: "/opt/mixed", destination: `${into}/` };
  assert.match((await attack(cloud, { source_ami: imageId }, [download])).failure, /"\/opt\/mixed\/fifo" is a FIFO/);
  const fifo = join(cloud.scratch, "fifo");
  await runCommand(["mkfifo", fifo]);
  const upload = { type: "file", source: fifo, destination: "/opt/new", generated: true };
  assert.match((await attack(cloud, { source_ami: imageId }, [upload])).failure, /is a FIFO, not a regular file/);
});

test("a FIFO or a file where a mountpoint or a directory has to be is a clear error", async () => {
  const odd = await importAttackImage(cloud, async (tree) => {
    for (const path of ["proc", "tmp"]) await rm(join(tree, path), { recursive: true });
    await runCommand(["mkfifo", join(tree, "tmp")]);
    await writeFile(join(tree, "proc"), "");
  });
  assert.match((await attack(cloud, { source_ami: odd })).failure, /proc/);
  const builder = { source_ami: odd, chroot_mounts: [["bind", "/dev", "/dev"]] };
  const { failure } = await attack(cloud, builder, [script("echo never")]);
  assert.match(failure, /Cannot resolve "\/tmp\/script_\d+\.sh" inside the image: "\/tmp" is not a directory/);
});

test("what is downloaded never runs as root by itself, and thousands of hard links come as files", async () => {
  const into = join(cloud.scratch, "downloaded");
  const { failure } = await attack(cloud, { source_ami: imageId }, [
    { type: "file", direction: "download", source: "/opt/setuid", destination: `${into}/` },
    { type: "file", direction: "download", source: "/opt/many/", destination: join(into, "many") },
    { type: "file", source: local, destination: "/opt/many/7" },
    script("grep -q host /opt/setuid"),
  ]);
  assert.equal(failure, "");
  assert.equal((await stat(join(into, "setuid"))).mode & 0o7777, 0o755);
  assert.equal((await readdir(join(into, "many"))).length, MANY);
});

test("a directory deeper than any path may be is a clear error", async () => {
  const name = "d".repeat(200);
  // From its end: no shell can go there.
  const dig = `cd /opt; mkdir ${name}; for level in $(seq 30); do mkdir t; mv ${name} t/; mv t ${name}; done; mv ${name} /deep`;
  const into = join(cloud.scratch, "deep");
  const { failure } = await attack(cloud, {}, [
    script(dig),
    { type: "file", direction: "download", source: "/deep/", destination: into },
  ]);
  assert.match(
    failure,
    /^Cannot provision with "file: deep"[\s\S]*Cannot download the directory "\/deep\/"[\s\S]*ENAMETOOLONG/,
  );
});

test("an immutable file is not replaced, and says so", async () => {
  const fix = "printf fixed >/opt/fixed && chattr +i /opt/fixed";
  const upload = { type: "file", source: local, destination: "/opt/fixed" };
  const { failure } = await attack(cloud, { source_ami: imageId }, [script(fix), upload]);
  assert.match(failure, /Cannot upload "[^"]+" to "\/opt\/fixed" in the image: EPERM/);

  const plain = await importAttackImage(cloud, (tree) => installProgram(tree, CHATTR));
  const first = await attack(cloud, { source_ami: plain }, [script("chattr +i /etc/resolv.conf")]);
  const told = first.events.flatMap((event) => (event.type === "message" ? [event.text] : []));
  assert.ok(told.includes('"/etc/resolv.conf" stays: a provisioner made it immutable'), told.join("\n"));
  const second = await attack(cloud, { source_ami: first.imageId });
  assert.match(second.failure, /Cannot copy "\/etc\/resolv.conf" into the image: EPERM[\s\S]*lsattr/);
});
