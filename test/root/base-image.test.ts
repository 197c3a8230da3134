import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { test } from "node:test";
import { runCommand, runToExit } from "../../src/linux/run-command.ts";
import { tinyBaseImage } from "../helpers/base-image.ts";

/** Runs a script in the root file system at `offset` of the disk, mounted in a namespace that ends with the script. */
async function inImage(disk: string, offsetBytes: number, script: string) {
  const mountAndRun = 'mount -o loop,offset="$2" "$1" /mnt && exec chroot /mnt /bin/sh -ec "$3"';
  return runToExit(["unshare", "--mount", "sh", "-ec", mountAndRun, "sh", disk, String(offsetBytes), script]);
}

for (const layout of ["whole-disk", "gpt", "mbr-multi", "gpt-multi"] as const) {
  test(`tinyBaseImage() makes a sound root file system in layout ${layout}`, async () => {
    const disk = await tinyBaseImage({ layout });
    assert.equal(await tinyBaseImage({ layout }), disk, "the second call takes the cached file");
    const { size, blocks } = await stat(disk);
    assert.equal(size % 1024 ** 2, 0);
    assert.ok(blocks * 512 < 16 * 1024 ** 2, `it is sparse: ${blocks * 512} bytes are allocated`);
    const startMib = { "whole-disk": 0, gpt: 1, "mbr-multi": 1, "gpt-multi": 13 }[layout];
    const offset = startMib * 1024 ** 2;
    await runCommand(["e2fsck", "-fn", `${disk}?offset=${offset}`]);
    const result = await inImage(disk, offset, "cat /etc/amibake-test-layout; id -u; bash -c 'echo bash'");
    assert.equal(result.stdout.toString(), `${layout}\n0\nbash\n`, result.stderrTail);
  });
}

test("tinyBaseImage() has a start-stop-daemon that waits for the daemon's end", async () => {
  const disk = await tinyBaseImage({ layout: "whole-disk" });
  const script = [
    "mount -t proc proc /proc",
    "start-stop-daemon --start --background --make-pidfile --pidfile /run/d.pid --exec /bin/busybox -- sleep 1000",
    "start-stop-daemon --stop --pidfile /run/d.pid --retry TERM/5",
    "test ! -e /proc/$(cat /run/d.pid)",
    "echo stopped",
  ].join("\n");
  // A process namespace, so that nothing of this can stay.
  const argv = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-ec"];
  const run = 'mount -o loop "$1" /mnt; exec chroot /mnt /bin/busybox sh -ec "$2; true"';
  const result = await runToExit([...argv, run, "sh", disk, script]);
  assert.match(result.stdout.toString(), /stopped\n$/, result.stderrTail);
});
