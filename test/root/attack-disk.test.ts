// Provisioners that fill the image, delete it, or play with what amibake lent to it.
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { runCommand } from "../../src/linux/run-command.ts";
import { attack, script } from "../helpers/attack-image.ts";
import { type HostFiles, watchHostFiles } from "../helpers/host-files.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
let local: string;
let hostFiles: HostFiles;
before(async () => {
  cloud = await startTestCloud();
  local = join(cloud.scratch, "local");
  await writeFile(local, "x".repeat(100_000));
  hostFiles = await watchHostFiles();
});
after(async () => {
  assert.equal(await hostFiles.changes(), "");
  await cloud[Symbol.asyncDispose]();
});

const FILLS = {
  blocks: "head -c 100000000 /dev/zero >/opt/zeros 2>/dev/null || :",
  inodes: 'mkdir /opt/many; cd /opt/many; i=0; while true >"$i"; do i=$((i + 1)); done 2>/dev/null || :',
};
const ORIGINAL = "# the image's own\nnameserver 192.0.2.53";

/** What an image, made by an attack, has at /etc/resolv.conf. */
async function resolvConfOf(imageId: string | undefined): Promise<string> {
  const { output, failure } = await attack(cloud, { source_ami: imageId, copy_files: [] }, [
    { ...script("cat /etc/resolv.conf; ls -A /etc | grep saved || :"), remote_folder: "/dev/shm" },
  ]);
  assert.equal(failure, "");
  return output.join("\n");
}

for (const [what, fill] of Object.entries(FILLS)) {
  test(`a provisioner that uses up all ${what} bakes an image, and what was covered is given back`, async () => {
    const { failure, imageId } = await attack(cloud, {}, [script(fill)]);
    assert.equal(failure, "");
    assert.equal(await resolvConfOf(imageId), ORIGINAL);
  });

  test(`an upload, a script and a copied file that meet no ${what} left are clear errors`, async () => {
    // To the very last: nothing of amibake's own is freed after it.
    const full = await attack(cloud, { copy_files: [], allow_services: true }, [{ ...script(fill), skip_clean: true }]);
    const lend = await attack(cloud, { source_ami: full.imageId, allow_services: true });
    assert.match(lend.failure, /Cannot copy "\/etc\/resolv.conf" into the image: ENOSPC[\s\S]*root_volume_size/);
    const builder = { source_ami: full.imageId, copy_files: [], allow_services: true };
    const upload = { type: "file", source: local, destination: "/opt/uploaded" };
    const uploaded = await attack(cloud, builder, [upload]);
    assert.match(uploaded.failure, /Cannot upload "[^"]+" to "\/opt\/uploaded" in the image: ENOSPC/);
    assert.match(uploaded.failure, /root_volume_size/);
    const { failure } = await attack(cloud, builder, [script("echo never")]);
    assert.match(failure, /Cannot write "\/tmp\/script_\d+\.sh" in the image: ENOSPC[\s\S]*root_volume_size/);
  });
}

test("a provisioner that deletes everything is a clear error", async () => {
  for (const line of ["rm -rf /etc /bin /usr/bin", "rm -rf /usr /etc /opt /root", "rm -rf /tmp /var"]) {
    const { failure, imageId } = await attack(cloud, {}, [script(line), script("echo next")]);
    // Without /tmp, amibake makes it again.
    if (line.includes("/bin") || line.includes("/usr")) assert.match(failure, /\/bin\/sh|exit code is 12[67]/, line);
    else assert.ok(imageId !== undefined, failure);
  }
});

test("what was covered is given back, wherever its directory was moved", async () => {
  const moved = await attack(cloud, {}, [script("mv /etc /settings && ln -s settings /etc")]);
  assert.equal(moved.failure, "");
  assert.equal(await resolvConfOf(moved.imageId), ORIGINAL);

  const covered = await attack(cloud, {}, [script("mount -t tmpfs tmpfs /etc && echo other >/etc/resolv.conf")]);
  assert.equal(covered.failure, "");
  assert.equal(await resolvConfOf(covered.imageId), ORIGINAL);
});

test("a directory that a provisioner swapped for a link to the host's is left alone", async () => {
  const outside = join(cloud.scratch, "outside");
  await runCommand(["mkdir", outside]);
  await writeFile(join(outside, "resolv.conf"), "of the host\n");
  const { failure } = await attack(cloud, {}, [script(`mv /etc /settings && ln -s ${outside} /etc`)]);
  assert.equal(failure, "");
  const { stdout } = await runCommand(["sh", "-c", 'cat "$0"/*; ls -A "$0"', outside]);
  assert.equal(stdout.toString(), "of the host\nresolv.conf\n");
  await rm(outside, { recursive: true });
});

test("a lent file that was renamed, and an original that was removed", async () => {
  const renamed = await attack(cloud, {}, [script("mv /etc/resolv.conf /etc/resolv.conf.mine")]);
  assert.equal(renamed.failure, "");
  assert.equal(await resolvConfOf(renamed.imageId), ORIGINAL);
  const removed = await attack(cloud, {}, [script("rm -f /etc/.amibake-saved-*")]);
  assert.match(
    removed.failure,
    /Cannot give back "\/etc\/resolv.conf" in the image: ENOENT[\s\S]*removed the original/,
  );
  const gone = await attack(cloud, {}, [script("mkdir /new && mv /etc /new/etc && rm -rf /new/etc && mkdir /etc")]);
  assert.equal(gone.failure, "");
  const told = gone.events.flatMap((event) => (event.type === "message" ? [event.text] : []));
  assert.ok(
    told.some((text) => /is not given back: a provisioner removed its directory/.test(text)),
    told.join("\n"),
  );
});

test("a FIFO, a device and an endless file in place of a lent file stay, and hold nothing up", async () => {
  for (const line of [
    "rm /etc/resolv.conf; mkfifo /etc/resolv.conf",
    "rm /etc/resolv.conf; mknod /etc/resolv.conf c 1 5",
    "rm /etc/resolv.conf; mkdir /etc/resolv.conf",
    "truncate -s 1099511627776 /etc/resolv.conf",
  ]) {
    const outcome = await attack(cloud, {}, [script(line)]);
    assert.equal(outcome.failure, "", line);
    const told = outcome.events.flatMap((event) => (event.type === "message" ? [event.text] : []));
    assert.ok(told.includes('"/etc/resolv.conf" stays as a provisioner wrote it'), line);
  }
});
