// Provisioners that mount, unmount and move what they should not.
import assert from "node:assert/strict";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { listLoopDevices } from "../../src/linux/devices/loop-device.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { attack, importAttackImage, script } from "../helpers/attack-image.ts";
import { type HostFiles, watchHostFiles } from "../helpers/host-files.ts";
import { readImageFile } from "../helpers/read-image.ts";
import { installProgram } from "../helpers/root-tree.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
let imageId: string;
let local: string;
let hostFiles: HostFiles;
before(async () => {
  cloud = await startTestCloud();
  local = join(cloud.scratch, "local");
  await writeFile(local, "uploaded\n");
  imageId = await importAttackImage(cloud, async (tree) => {
    // busybox has none of --make-rshared, --move of its own kind and the like.
    for (const name of ["mount", "umount", "unshare"]) {
      await installProgram(tree, { from: `/usr/bin/${name}`, to: `usr/bin/${name}` });
    }
    await runCommand(["mke2fs", "-q", join(tree, "opt/disk"), "4M"]);
    await mkdir(join(tree, "mnt/deep/er"), { recursive: true });
  });
  hostFiles = await watchHostFiles();
});
after(async () => {
  assert.equal(await hostFiles.changes(), "");
  await cloud[Symbol.asyncDispose]();
});

const uploadStep = () => ({ type: "file", source: local, destination: "/opt/uploaded" });

/** What a provisioner does; the build succeeds, and the image holds what later steps wrote. */
const harmless: Record<string, string[]> = {
  "mounts nested file systems": [
    "mount -t tmpfs tmpfs /mnt && mkdir /mnt/a && mount -t tmpfs tmpfs /mnt/a && mkdir /mnt/a/b",
    "mount --bind / /mnt/a/b && mount --rbind / /mnt/deep 2>/dev/null || mount --rbind / /opt",
    "umount -R /opt 2>/dev/null || :",
  ],
  "mounts an overlay": [
    "mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/merged",
    "mount -t overlay overlay -o lowerdir=/usr,upperdir=/mnt/upper,workdir=/mnt/work /mnt/merged || :",
  ],
  "binds the host's device nodes": ["mount --bind /dev /mnt && mount --bind /dev/null /etc/hostname"],
  "makes its mounts shared": [
    "mount --make-rshared / && mount -t tmpfs tmpfs /mnt && mkdir /mnt/x && mount --bind /mnt/x /mnt/x",
  ],
  "mounts over /proc and /tmp": ["mount -t tmpfs tmpfs /proc && mount -t tmpfs tmpfs /tmp"],
  "unmounts /proc, /dev and /sys": ["umount -R /dev; umount /sys; umount /proc/sys/fs/binfmt_misc || :; umount /proc"],
  "unmounts lazily": ["cd /proc; umount -l /dev/pts /dev /sys; umount -l /proc"],
  "moves mounts": ["mount --move /sys /mnt; mkdir /opt/proc; mount --move /proc /opt/proc"],
  "moves an older mount over newer ones": [
    "mkdir /opt/a /opt/b /opt/c; mount -t tmpfs old /opt/a; mount -t tmpfs new /opt/b; mkdir /opt/b/z",
    "mount -t tmpfs newest /opt/b/z; mount --move /opt/a /opt/b; ln -s /proc /opt/b/z",
  ],
  "keeps a mount namespace alive": [
    "mount -t tmpfs tmpfs /mnt && mount --make-private /mnt && : >/mnt/namespace",
    // The kernel takes one with a later number than ours only, and processors number on their own (mnt_ns_loop).
    "for each in 1 2 3 4 5 6 7 8 9; do unshare -m sh -c 'echo $$ >/mnt/pid; sleep 1' & sleep 0.3; mount --bind /proc/$(cat /mnt/pid)/ns/mnt /mnt/namespace && break; done",
    "grep /mnt/namespace /proc/mounts; wait",
  ],
  "mounts FUSE and does not answer": [
    "(exec 5<>/dev/fuse; mount -i -t fuse -o fd=5,rootmode=40000,user_id=0,group_id=0 fuse /mnt/deep; exec sleep 600) >/dev/null 2>&1 &",
    "for each in 1 2 3 4 5 6 7 8 9; do grep -q ' /mnt/deep fuse' /proc/mounts && break; sleep 0.1; done; grep ' /mnt/deep fuse' /proc/mounts",
  ],
};

const UNMOUNTED = "Unmounted what a provisioner had mounted: ";

/** What the build then says that it unmounted. The others leave nothing but mounts of the build. */
const leftMounted: Record<string, RegExp> = {
  "mounts nested file systems": /^\/mnt\/a\/b \(ext4\); \/mnt\/a \(tmpfs\); \/mnt \(tmpfs\)$/,
  "mounts an overlay": /^(\/mnt\/merged \(overlay\); )?\/mnt \(tmpfs\)$/,
  "binds the host's device nodes": /^\/etc\/hostname \((dev)?tmpfs\); \/mnt \((dev)?tmpfs\)$/,
  "makes its mounts shared": /^\/mnt\/x \(tmpfs\); \/mnt \(tmpfs\)$/,
  "mounts over /proc and /tmp": /^\/tmp \(tmpfs\); \/proc \(tmpfs\)$/,
  // Neither is in the other; the host may have mounted something below its /proc.
  "moves mounts":
    /^(?=.*\/mnt \(sysfs\))(\/mnt \(sysfs\)(; |$)|\/opt\/proc(\/\S+)? \(\w+\)(; |$)){2,3}(?<=\/opt\/proc \(proc\).*)$/,
  "moves an older mount over newer ones": /^\/opt\/b \(tmpfs\) \(2 times\); \/opt\/b\/z \(tmpfs\)$/,
  "keeps a mount namespace alive": /^\/mnt\/namespace \(nsfs\); \/mnt \(tmpfs\)$/,
  "mounts FUSE and does not answer": /^\/mnt\/deep \(fuse\)$/,
};

for (const [name, lines] of Object.entries(harmless)) {
  test(`a provisioner that ${name} leaves nothing`, async () => {
    const outcome = await attack(cloud, { source_ami: imageId }, [script(...lines), uploadStep()]);
    assert.equal(outcome.failure, "");
    const told = outcome.events.flatMap((event) => (event.type === "message" ? [event.text] : []));
    const unmounted = told.filter((text) => text.startsWith(UNMOUNTED)).map((text) => text.slice(UNMOUNTED.length));
    assert.equal(unmounted.length, leftMounted[name] === undefined ? 0 : 1, unmounted.join("\n"));
    assert.match(unmounted[0] ?? "", leftMounted[name] ?? /^$/);
    assert.equal(await readImageFile(cloud, outcome.imageId ?? "", "/opt/uploaded"), "uploaded\n");
  });
}

test("a transfer to a FUSE mount whose server was ended is a clear error, not a hang", async () => {
  const { failure } = await attack(cloud, { source_ami: imageId }, [
    script(...(harmless["mounts FUSE and does not answer"] ?? [])),
    { type: "file", source: local, destination: "/mnt/deep/file" },
  ]);
  assert.match(
    failure,
    /Cannot upload[\s\S]*Cannot resolve "\/mnt\/deep\/file" inside the image: (ENOTCONN|ECONNABORTED)/,
  );
});

test("a mount over the root itself, or a root that was unmounted, is found out before anything is written", async () => {
  for (const line of ["mount -t tmpfs tmpfs /", "umount -l /"]) {
    const { failure } = await attack(cloud, { source_ami: imageId }, [
      { ...script(line), skip_clean: true },
      uploadStep(),
    ]);
    assert.match(failure, /is not the image any more: a provisioner unmounted or covered it/, line);
  }
});

test("a root that was made read-only is a clear error of the copied file", async () => {
  const { failure } = await attack(cloud, { source_ami: imageId }, [
    { ...script("mount -o remount,ro /"), skip_clean: true },
  ]);
  assert.match(failure, /Cannot give back "\/etc\/resolv.conf" in the image: EROFS[\s\S]*made the image read-only/);
});

test("a loop device and its file system that a provisioner left are let go, and told", async () => {
  const loops = async () => (await listLoopDevices()).map(({ backingFile }) => backingFile);
  const outcome = await attack(cloud, { source_ami: imageId }, [
    script(
      "device=$(losetup -f) && losetup $device /opt/disk && mount -t ext2 $device /mnt/deep && echo in >/mnt/deep/file",
    ),
  ]);
  assert.equal(outcome.failure, "");
  assert.ok(
    outcome.events.some(
      (event) => event.type === "message" && /Ended what was left in use.*loop device/.test(event.text),
    ),
  );
  assert.ok(!(await loops()).some((file) => file.endsWith("/opt/disk")));
});

test("a swap file that a provisioner left on is turned off, and told", async () => {
  const outcome = await attack(cloud, { source_ami: imageId }, [
    script(
      "dd if=/dev/zero of=/opt/swap bs=1M count=4 2>/dev/null; chmod 600 /opt/swap; mkswap /opt/swap; swapon /opt/swap",
    ),
  ]);
  assert.equal(outcome.failure, "");
  assert.ok(outcome.events.some((event) => event.type === "message" && /swap file .*\/opt\/swap/.test(event.text)));
});

test("nothing of the host's /dev is missing afterwards", async () => {
  assert.ok((await readdir("/dev")).includes("null"));
});
