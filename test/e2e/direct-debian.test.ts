// amazon-direct on a real Debian: what amazon-chroot makes of the same template, and how many blocks it moves for it.
import assert from "node:assert/strict";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { SNAPSHOT_BLOCK_BYTES } from "../../src/base/units.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { type DirectCloud, startDirectCloud } from "../helpers/direct-cloud.ts";
import { withMountedImage } from "../helpers/mounted-image.ts";

let cloud: DirectCloud;

before(async () => {
  cloud = await startDirectCloud();
});

after(() => cloud[Symbol.asyncDispose]());

/** By path: when it was changed, in milliseconds since the epoch, and all else. */
type Tree = ReadonlyMap<string, { readonly mtimeMs: number; readonly entry: string }>;

async function treeOf(imageId: string): Promise<Tree> {
  const tree = new Map<string, { mtimeMs: number; entry: string }>();
  const script = await readFile(join(import.meta.dirname, "../helpers/list-tree.py"), "utf8");
  await withMountedImage(cloud, { imageId, path: join(cloud.scratch, imageId) }, async (root) => {
    const { stdout } = await runCommand(["chroot", root, "/usr/bin/python3", "-IBc", script]);
    for (const line of stdout.toString().trim().split("\n")) {
      const [path = "", mtimeNs, entry = ""] = line.split("\t");
      tree.set(path, { mtimeMs: Number(mtimeNs) / 1e6, entry });
    }
  });
  return tree;
}

/** Touches a bit of everything that a file system can hold, and the same way each time. */
const PROVISIONING = [
  "set -e",
  "useradd --create-home --uid 1234 app",
  "mkdir -p /srv/data && cd /srv/data",
  "for i in $(seq 200); do echo $i > small-$i; done",
  "rm small-1?; mv small-20 moved; ln moved hardlink; ln -s moved symlink; mkfifo pipe; mknod null c 1 3",
  "head -c 3000000 /dev/zero | tr '\\0' a > large; truncate -s 5M sparse; cp /usr/bin/python3 copied",
  "chmod 2750 /srv/data; chown 1234:1234 small-2; chmod 4755 copied",
  `python3 -c 'import os; os.setxattr("moved", "user.note", b"kept"); os.setxattr("copied", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))'`,
  "rm /etc/issue.net; echo changed >> /etc/issue; : > /etc/motd",
  "head -c 20000000 /dev/urandom > /var/tmp/gone; sync; rm /var/tmp/gone",
];

test("The same template makes the same tree with amazon-chroot and with amazon-direct", async () => {
  const startMs = Date.now();
  const images: Tree[] = [];
  for (const type of ["amazon-chroot", "amazon-direct"]) {
    const { imageId } = await cloud.bake({ type }, [{ type: "shell", inline: PROVISIONING }]);
    images.push(await treeOf(imageId));
  }
  const [chroot, direct] = images as [Tree, Tree];
  assert.deepEqual([...direct.keys()].sort(), [...chroot.keys()].sort());
  assert.ok(chroot.size > 5_000, `only ${chroot.size} files`);
  let untouchedCount = 0;
  for (const [path, { mtimeMs, entry }] of direct) {
    const other = chroot.get(path) ?? { mtimeMs: 0, entry: "" };
    assert.equal(entry, other.entry, path);
    const wasTouched = mtimeMs >= startMs - 1_000;
    assert.equal(other.mtimeMs >= startMs - 1_000, wasTouched, `${path} was touched by one of them only`);
    if (wasTouched) continue;
    assert.equal(mtimeMs, other.mtimeMs, path);
    untouchedCount++;
  }
  assert.ok(untouchedCount > 5_000, `only ${untouchedCount} untouched files`);
  assert.match(direct.get("/srv/data/moved")?.entry ?? "", / user\.note=6b657074 /);
});

/** Of the blocks of two disks, those that differ. */
async function changedBlocks(beforeId: string, afterId: string): Promise<number> {
  const disks = await Promise.all(
    [beforeId, afterId].map(async (imageId) => {
      const path = join(cloud.scratch, `${imageId}-compared.raw`);
      await cloud.local("export", imageId, path, "--format", "raw");
      return open(path, "r");
    }),
  );
  const [first, second] = disks as [(typeof disks)[0], (typeof disks)[0]];
  const { size } = await first.stat();
  assert.equal((await second.stat()).size, size);
  const buffers = [Buffer.alloc(SNAPSHOT_BLOCK_BYTES), Buffer.alloc(SNAPSHOT_BLOCK_BYTES)] as const;
  let count = 0;
  for (let offset = 0; offset < size; offset += SNAPSHOT_BLOCK_BYTES) {
    await Promise.all([
      first.read(buffers[0], 0, buffers[0].length, offset),
      second.read(buffers[1], 0, buffers[1].length, offset),
    ]);
    if (!buffers[0].equals(buffers[1])) count++;
  }
  await Promise.all(disks.map((disk) => disk.close()));
  return count;
}

test("apt-get update and one package: few blocks come, and only what changed goes", async (context) => {
  const { imageId, output } = await cloud.bake(
    { type: "amazon-direct" },
    [
      {
        type: "shell",
        environment_vars: ["DEBIAN_FRONTEND=noninteractive"],
        inline: ["apt-get update", "apt-get install --yes --no-install-recommends hello", "apt-get clean"],
      },
    ],
    { isCold: true },
  );
  assert.match(output, /Setting up hello /);
  const [, fetched = "", allocated = ""] = /Fetched ([\d,]+) of ([\d,]+) blocks/.exec(output) ?? [];
  const [, written = ""] = /([\d,]+) of [\d,]+ written blocks have changed/.exec(output) ?? [];
  const [fetchedCount, allocatedCount, writtenCount] = [fetched, allocated, written].map((text) =>
    Number(text.replaceAll(",", "")),
  );
  const changedCount = await changedBlocks(cloud.baseImageId, imageId);
  context.diagnostic(
    `${fetchedCount} of ${allocatedCount} blocks fetched, ${writtenCount} uploaded, ${changedCount} changed`,
  );
  assert.ok((allocatedCount ?? 0) >= 1000);
  assert.ok((fetchedCount ?? Number.NaN) <= 200);
  assert.ok((writtenCount ?? Number.NaN) <= 1.1 * changedCount);
});
