import assert from "node:assert/strict";
import { mkdtemp, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { runToExit } from "../../src/linux/run-command.ts";
import { isInPlainChroot } from "../../src/linux/sandbox/plain-chroot.ts";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { ROOT } from "../helpers/source-files.ts";

// A root directory of its own, of the host's parts. Its mounts go with the namespace.
const ENTER = `
set -e
mount -t tmpfs tmpfs "$1"
for name in /usr /etc /proc /sys /dev /var /tmp "$2"; do mkdir -p "$1$name"; mount --bind "$name" "$1$name"; done
for name in bin sbin lib lib64; do ln -s "usr/$name" "$1/$name"; done
root=$1; shift 2
exec chroot "$root" "$@"
`;

test("doctor and build tell that they run in a plain chroot", async () => {
  assert.equal(await isInPlainChroot(), false);
  const directory = await mkdtemp(join(tmpdir(), "amibake-chroot-"));
  try {
    const run = async (...args: string[]) => {
      const inChroot = ["/bin/sh", "-c", ENTER, "sh", directory, ROOT, ...(await amibakeCommand()), ...args];
      return runToExit(["unshare", "--mount", "--propagation", "private", ...inChroot]);
    };
    const doctor = await run("doctor", "--json");
    const { checks } = JSON.parse(doctor.stdout.toString()) as { checks: { name: string; status: string }[] };
    const statuses = new Map(checks.map(({ name, status }) => [name, status]));
    assert.deepEqual([statuses.get("root"), statuses.get("own root directory")], ["ok", "missing"]);
    assert.equal(doctor.exitCode, 4);

    const build = await run("build", "-var", "source_ami=ami-1", join(ROOT, "examples/first-image/template.json"));
    assert.match(build.stderrTail, /^Error: Cannot build in a chroot: entering a mount namespace leaves it$/m);
    assert.match(build.stderrTail, /hint: Run amibake in a container/);
    assert.equal(build.exitCode, 4);
  } finally {
    await rmdir(directory);
  }
});
