// The pids cgroup that each build has of its own.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { readMountTable } from "../../src/linux/mounts/mount-table.ts";
import { runCommand, runToExit } from "../../src/linux/run-command.ts";
import { findPidsCgroupV1, openProcessLimit } from "../../src/linux/sandbox/process-limit.ts";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

const hasPidsCgroup = /^\d+:([^:]*,)?pids/m.test(await readFile("/proc/self/cgroup", "utf8").catch(() => ""));
const skip = hasPidsCgroup ? false : "this host has no pids cgroup of version 1";

test("each of many builds that start at once has its limit", { skip }, async () => {
  // What every build that starts does: it removes the empty cgroups. Here some do it all the time.
  const parent = findPidsCgroupV1(await readFile("/proc/self/cgroup", "utf8"), await readMountTable());
  const sweep = `while :; do rmdir ${parent}/amibake-* 2>/dev/null; done`;
  const stop = new AbortController();
  const sweepers = [1, 2].map(() => runToExit(["/bin/sh", "-c", sweep], { signal: stop.signal }).catch(() => {}));
  try {
    for (let round = 1; round <= 10; round++) {
      const limits = await Promise.all(Array.from({ length: 12 }, () => openProcessLimit(100)));
      const inForce = limits.filter(({ isInForce }) => isInForce);
      await Promise.all(limits.map((limit) => limit[Symbol.asyncDispose]()));
      assert.equal(inForce.length, limits.length, `round ${round}`);
    }
  } finally {
    stop.abort();
    await Promise.all(sweepers);
  }
});

test("a build on a host that gives no pids cgroup says once that max_processes is not in force, and builds", async () => {
  await using cloud = await startTestCloud();
  const build = async (hide: string) => {
    const template = await writeTemplate(cloud, { ami_name: "unlimited {{uuid}}", max_processes: 60 }, [
      { type: "shell", inline: ["echo in the image"] },
    ]);
    const argv = [...(await amibakeCommand()), "build", "-color=false", template];
    const withoutCgroups = ["unshare", "--mount", "sh", "-c", `${hide} && exec "$@"`, "sh", ...argv];
    const env = { PATH: process.env["PATH"] ?? "", HOME: "/root", ...cloud.environment };
    const { stdout } = await runCommand(withoutCgroups, { env });
    return stdout.toString();
  };
  for (const hide of [
    "umount -R -l /sys/fs/cgroup",
    "mount -o bind,remount,ro $(findmnt -no TARGET -t cgroup -O pids)",
  ]) {
    if (skip !== false && hide.startsWith("mount")) continue;
    const told = await build(hide);
    assert.match(told, /in the image/);
    assert.equal(told.match(/max_processes is not in force/g)?.length, 1, told);
  }
});
