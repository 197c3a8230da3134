import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runCommand } from "../../src/linux/run-command.ts";
import { openSandbox } from "../../src/linux/sandbox/sandbox.ts";
import { readHostMounts } from "../helpers/host-state.ts";

const never = new AbortController().signal;
const open = (keepVisible: string[] = [process.cwd()]) => openSandbox({ keepVisible, signal: never });

async function namespacePids(namespace: string): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    if ((await readlink(`/proc/${pid}/ns/pid`).catch(() => "")) === namespace) found.push(pid);
  }
  return found;
}

test("openSandbox() keeps mounts and processes to itself and takes them along when it ends", async () => {
  const before = await readHostMounts();
  const directory = await mkdtemp(join(tmpdir(), "amibake-sandbox-"));
  let namespace = "";
  {
    await using sandbox = await open();
    await sandbox.run(["mount", "-t", "tmpfs", "tmpfs", directory]);
    await sandbox.run(["/bin/sh", "-c", `echo inside >${directory}/file; setsid sleep 60 & :`]);
    assert.equal(await readFile(sandbox.pathFromHere(`${directory}/file`), "utf8"), "inside\n");
    assert.equal(await readHostMounts(), before);
    namespace = (await sandbox.run(["readlink", "/proc/self/ns/pid"])).stdout.toString().trim();
    assert.ok((await namespacePids(namespace)).length >= 2);
  }
  assert.deepEqual(await namespacePids(namespace), []);
  assert.equal(await readHostMounts(), before);
  await rm(directory, { recursive: true });
});

test("endProcesses() ends what ignores SIGTERM, and names it", async () => {
  await using sandbox = await open();
  await sandbox.run(["/bin/sh", "-c", "(trap '' TERM; exec sleep 61) & setsid sleep 62 & :"]);
  const ended = await sandbox.endProcesses(100);
  assert.deepEqual(ended.map(({ commandLine }) => commandLine).sort(), ["sleep 61", "sleep 62"]);
  assert.deepEqual(await sandbox.endProcesses(100), []);
});

test("PID 1 of the sandbox reaps: a daemon that was stopped is gone at once", async () => {
  await using sandbox = await open();
  const pidFile = join(tmpdir(), `amibake-reap-${process.pid}`);
  const daemon = ["start-stop-daemon", "--pidfile", pidFile];
  await sandbox.run([...daemon, "--start", "--exec", "/bin/sleep", "--background", "--make-pidfile", "--", "60"]);
  const start = performance.now();
  await sandbox.run([...daemon, "--stop", "--retry", "TERM/5"]);
  assert.ok(performance.now() - start < 2000, "start-stop-daemon waited for a zombie");
  await rm(pidFile);
});

test("the sandbox ends when the process that opened it is killed", async () => {
  const script = `
    import { openSandbox } from ${JSON.stringify(new URL("../../src/linux/sandbox/sandbox.ts", import.meta.url).href)};
    const sandbox = await openSandbox({ keepVisible: [], signal: new AbortController().signal });
    await sandbox.run(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    await sandbox.run(["/bin/sh", "-c", "setsid sleep 63 & :"]);
    console.log((await sandbox.run(["readlink", "/proc/self/ns/pid"])).stdout.toString().trim());
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const namespace = line.toString().trim();
  assert.ok((await namespacePids(namespace)).length >= 2);
  child.kill("SIGKILL");
  await once(child, "exit");
  for (let looks = 0; looks < 100 && (await namespacePids(namespace)).length > 0; looks++) await delay(20);
  assert.deepEqual(await namespacePids(namespace), []);
});

test("a sandbox whose first process was killed says so, with a hint, to whoever wants to run something in it", async () => {
  await using sandbox = await open();
  const [, pid = ""] = /^\/proc\/(\d+)\//.exec(sandbox.pathFromHere("/")) ?? [];
  process.kill(Number(pid), "SIGKILL");
  while ((await readdir("/proc")).includes(pid)) await delay(10);
  const ended = { code: "ERR_SANDBOX_ENDED", hint: /dmesg/ };
  await assert.rejects(sandbox.run(["true"]), ended);
  await assert.rejects(sandbox.runOnTerminal(["true"]), ended);
});

test("a disk that others have mounted can be unmounted and is free while a sandbox is open", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-foreign-"));
  const image = join(directory, "disk");
  await runCommand(["truncate", "--size", "8M", image]);
  await runCommand(["mkfs.ext4", "-q", image]);
  const mountpoint = join(directory, "mounted");
  await runCommand(["mkdir", mountpoint]);
  const loop = (await runCommand(["losetup", "--find", "--show", image])).stdout.toString().trim();
  await runCommand(["mount", loop, mountpoint]);
  try {
    await using sandbox = await open();
    assert.ok(!(await sandbox.mountTable()).some((entry) => entry.mountpoint === mountpoint));
    await runCommand(["umount", mountpoint]);
    // As the local cloud looks before it detaches: fails while it is mounted in any namespace.
    await runCommand(["python3", "-c", `import os; os.close(os.open("${loop}", os.O_RDWR | os.O_EXCL))`]).catch(
      async (error) => {
        if (!/not installed/.test(String(error))) throw error;
        await runCommand(["fsck.ext4", "-fn", loop]);
      },
    );
  } finally {
    await runCommand(["umount", mountpoint]).catch(() => {});
    await runCommand(["losetup", "--detach", loop]);
    await rm(directory, { recursive: true });
  }
});
