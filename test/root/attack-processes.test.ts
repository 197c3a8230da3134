// Provisioners whose processes do not want to end, or want to end others.
import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { flattenFailure, messageOf, ToolError } from "../../src/base/errors.ts";
import { readMountTable } from "../../src/linux/mounts/mount-table.ts";
import { findPidsCgroupV1 } from "../../src/linux/sandbox/process-limit.ts";
import { attack, script } from "../helpers/attack-image.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { readImageFile } from "../helpers/read-image.ts";
import { runBuildHere } from "../helpers/run-build.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
let local: string;
before(async () => {
  cloud = await startTestCloud();
  local = join(cloud.scratch, "local");
  await writeFile(local, "uploaded\n");
});
after(() => cloud[Symbol.asyncDispose]());

const messagesOf = ({ events }: Awaited<ReturnType<typeof attack>>): string =>
  events.flatMap((event) => (event.type === "message" ? [event.text] : [])).join("\n");

test("a daemon that swaps a link in a loop never gets an upload or a download out of the image", async () => {
  const victim = join(cloud.scratch, "victim");
  await writeFile(victim, "of the host\n");
  const swap = [
    "mkdir -p /opt/real /opt/swap; echo image >/opt/real/file",
    `mkdir -p ${cloud.scratch}; echo image >${victim}`,
    // Of two kinds: the file, and the directory it is in.
    `(while :; do ln -sfn ${victim} /opt/real/link; rm -f /opt/real/link; echo image >/opt/real/link; done) >/dev/null 2>&1 &`,
    `(while :; do mv /opt/swap /opt/aside; ln -s ${cloud.scratch} /opt/swap; rm /opt/swap; mv /opt/aside /opt/swap; done) >/dev/null 2>&1 &`,
  ];
  const move = [
    { type: "file", source: local, destination: "/opt/real/link" },
    { type: "file", content: "uploaded\n", destination: "/opt/swap/victim" },
    { type: "file", direction: "download", source: "/opt/real/link", destination: join(cloud.scratch, "back") },
  ];
  const moves = move.flatMap((one) => [script(...swap), one]);
  const { failure } = await attack(cloud, {}, [...moves, ...moves]);
  // Where it was stopped in between, there may be no file to download.
  if (failure !== "") assert.match(failure, /"\/opt\/real\/link" does not exist in the image/);
  else assert.match(await readFile(join(cloud.scratch, "back"), "utf8"), /^(image|uploaded)\n$/);
  assert.equal(await readFile(victim, "utf8"), "of the host\n");
});

test("a daemon that respawns, ignores signals, hides in sessions and holds files is ended before each step", async () => {
  const stubborn = [
    "mkdir -p /opt/held; echo data >/opt/held/file",
    // It forks twice, ignores TERM, and holds a directory and a file.
    `(setsid sh -c 'trap "" TERM HUP INT; cd /opt/held; exec 9>>file; while :; do sleep 1; done' >/dev/null 2>&1 &)`,
    // Each of the two starts the other again.
    "cat >/opt/pair <<'END'",
    '#!/bin/sh\ntrap "" TERM\nwhile :; do /bin/sleep 300 & wait $!; setsid "$0" & done',
    "END",
    "chmod +x /opt/pair; (setsid /opt/pair >/dev/null 2>&1 &)",
    "cd /proc; (setsid sleep 301 &); cd /dev/pts; (setsid sleep 302 &)",
    // In a PID namespace of its own.
    "unshare -p -f --mount-proc sh -c 'trap \"\" TERM; sleep 303' >/dev/null 2>&1 &",
    "sleep 0.2",
  ];
  const outcome = await attack(cloud, { chroot_mounts: [] }, [
    script(...stubborn),
    { type: "file", source: local, destination: "/opt/held/file" },
    script("grep -q uploaded /opt/held/file", 'test "$(ps | grep -c "[s]leep 30")" = 0', ...stubborn),
  ]);
  assert.equal(outcome.failure, "");
  for (const name of ["sleep 300", "sleep 301", "sleep 302"]) assert.match(messagesOf(outcome), new RegExp(name));
});

test("a daemon that holds standard output open does not hold the build up", async () => {
  const start = performance.now();
  const { failure } = await attack(cloud, {}, [
    script("(setsid sleep 304 &)", "(while :; do echo more; sleep 0.01; done) &"),
  ]);
  assert.equal(failure, "");
  assert.ok(performance.now() - start < 30_000);
});

test("the first process of the sandbox survives every signal, and kill -1 spares the build", async () => {
  const signals = ["KILL", "TERM", "INT", "STOP", "HUP", "SEGV"];
  const outcome = await attack(cloud, {}, [
    script(...signals.map((signal) => `kill -${signal} 1 || :`), "echo survived"),
    { ...script("kill -9 -1; echo alone"), valid_exit_codes: [137] },
    script("echo still here >/etc/here"),
  ]);
  assert.equal(outcome.failure, "");
  assert.deepEqual(outcome.output, ["survived", "alone"]);
  assert.equal(await readImageFile(cloud, outcome.imageId ?? "", "/etc/here"), "still here\n");
  const { failure } = await attack(cloud, {}, [script("kill -9 -1")]);
  assert.match(failure, /Cannot finish the inline script: exit code is 137/);
});

test("a provisioner that restarts the machine or renames it does neither", async () => {
  const before = hostname();
  const { output, failure } = await attack(cloud, {}, [
    script("reboot -f || echo no reboot", "poweroff -f || echo no poweroff", "hostname attacked; hostname"),
    script("hostname"),
  ]);
  assert.equal(failure, "");
  assert.deepEqual(
    output.filter((line) => !/permitted/.test(line)),
    ["no reboot", "no poweroff", "attacked", "attacked"],
  );
  assert.equal(hostname(), before);
});

test("a sandbox whose first process is killed from outside is a clear error, and leaves nothing", async () => {
  const children = async () => (await readFile(`/proc/self/task/${process.pid}/children`, "utf8")).trim().split(" ");
  const template = await writeTemplate(cloud, { ami_name: "outside" }, [script("echo ready; sleep 307")]);
  const earlier = await cloud.resources();
  let killing: Promise<void> | undefined;
  const { results, leftovers } = await runBuildHere(cloud, template, {
    onEvent: (event) => {
      if (event.type === "output") killing = children().then(killHolder);
    },
  });
  await killing;
  const [result] = results;
  assert.ok(result !== undefined && "error" in result);
  const { primary, cleanup } = flattenFailure(result.error);
  const told = [primary, ...cleanup];
  assert.ok(told.every((error) => error instanceof ToolError));
  assert.match(
    told.map((error) => `${messageOf(error)} ${messageOf((error as Error).cause)}`).join("\n"),
    /first process of the build's namespace was killed/,
  );
  assert.deepEqual(leftovers, []);
  assert.deepEqual(await cloud.resources(), earlier);
});

async function killHolder(pids: readonly string[]): Promise<void> {
  for (const pid of pids) {
    const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
    if (name.trim() === "unshare") process.kill(Number(pid), "SIGKILL");
  }
}

async function ourCgroups(): Promise<string[]> {
  const names = await readdir("/sys/fs/cgroup", { recursive: true }).catch(() => []);
  return names.filter((name) => /(^|\/)amibake-[0-9a-f]{12}$/.test(name));
}

const hasPidsCgroup = /^\d+:([^:]*,)?pids/m.test(await readFile("/proc/self/cgroup", "utf8").catch(() => ""));
const skip = hasPidsCgroup ? false : "this host has no pids cgroup of version 1";

for (const [name, builder, bomb] of [
  ["in the foreground", {}, ["bomb() { bomb | bomb & }", "bomb", "sleep 60", "echo never"]],
  // It outlives its script, and the first signal to end.
  ["in the background", { max_processes: 150 }, [`trap "" TERM`, "bomb() { bomb | bomb & }", "bomb"]],
] as const) {
  test(`a fork bomb ${name} ends the build with a clear error, and the host is usable`, { skip }, async () => {
    const start = performance.now();
    const { failure } = await attack(cloud, builder, [script(...bomb)]);
    assert.match(failure, /Cannot go on: commands in the image were refused more than (4096|150) processes at once/);
    assert.match(failure, /raise "max_processes"/);
    assert.ok(performance.now() - start < 60_000);
  });
}

test("a build that stays below its limit is not disturbed", { skip }, async () => {
  const start = "for each in $(seq 40); do sleep 0.3 & done; wait; echo $each";
  assert.deepEqual((await attack(cloud, { max_processes: 60 }, [script(start)])).output, ["40"]);
});

test("a build whose max_processes is -1 has no limit, and says nothing of it", async () => {
  const { output, events } = await attack(cloud, { max_processes: -1 }, [
    script("grep -o amibake-[0-9a-f]* /proc/self/cgroup || echo in no cgroup of a build"),
  ]);
  assert.deepEqual(output, ["in no cgroup of a build"]);
  assert.ok(!events.some((event) => event.type === "message" && event.text.includes("max_processes")));
});

test("an empty cgroup, as of a build that was killed with all its helpers, goes with the next build", {
  skip,
}, async () => {
  const own = findPidsCgroupV1(await readFile("/proc/self/cgroup", "utf8"), await readMountTable());
  const left = join(own ?? "", "amibake-000000000000");
  await mkdir(left);
  assert.equal((await attack(cloud, {})).failure, "");
  await assert.rejects(readdir(left), { code: "ENOENT" });
});

test("a killed build leaves no cgroup either", { skip }, async () => {
  const others = new Set(await ourCgroups());
  const template = await writeTemplate(cloud, { ami_name: "killed" }, [script("echo now", "sleep 305")]);
  let during: string[] = [];
  const result = await cloud.amibake(["build", "-color=false", template], {
    onStart: (child) =>
      void child.printed(": now").then(async () => {
        during = (await ourCgroups()).filter((name) => !others.has(name));
        process.kill(child.pid, "SIGKILL");
      }),
  });
  assert.equal(result.signal, "SIGKILL");
  assert.ok(during.length >= 1, "there was a cgroup");
  const left = async () => (await ourCgroups()).filter((name) => during.includes(name));
  for (let looks = 0; looks < 200 && (await left()).length > 0; looks++) await delay(25);
  assert.deepEqual(await left(), []);
});
