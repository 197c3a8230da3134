import assert from "node:assert/strict";
import { watch } from "node:fs";
import { mkdtemp, open, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { CommandError, prepareCommands, runCommand, runToExit } from "./run-command.ts";

/** Living processes of a group. Zombies do not count: when they go is up to the host's init. */
async function groupSize(group: number): Promise<number> {
  let count = 0;
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [, state, , processGroup] = /\) (\S) (\d+) (\d+)/.exec(status) ?? [];
    if (Number(processGroup) === group && state !== "Z") count++;
  }
  return count;
}

for (const way of ["forked", "spawned"]) {
  if (way === "spawned")
    test("prepareCommands() may be called twice", async () => {
      await Promise.all([prepareCommands(), prepareCommands()]);
    });

  test(`${way}: runCommand() passes words exactly as they are`, async () => {
    const word = "a b'c\"d`e$HOME$(id)\nf\\";
    const { stdout } = await runCommand(["printf", "%s", word]);
    assert.equal(stdout.toString(), word);
  });

  test(`${way}: runCommand() names the command, its exit code and its last words when it fails`, async () => {
    await assert.rejects(runCommand(["/bin/sh", "-c", "echo no luck >&2; exit 3"]), (error) => {
      assert.ok(error instanceof CommandError);
      assert.equal(error.message, `Cannot run "/bin/sh -c 'echo no luck >&2; exit 3'": exit code is 3: no luck`);
      assert.equal(error.exitCode, 3);
      return true;
    });
  });

  test(`${way}: runCommand() says that a program is not installed`, async () => {
    await assert.rejects(runCommand(["amibake-no-such-program"]), {
      message: 'Cannot run "amibake-no-such-program": "amibake-no-such-program" is not installed',
      hint: 'Run "amibake doctor": it prints the command that installs what is missing',
    });
  });

  test(`${way}: runCommand() gives a command nothing of the environment but PATH and LC_ALL`, async () => {
    const { stdout } = await runCommand(["env"]);
    const names = stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    assert.deepEqual(names.sort(), ["LC_ALL", "PATH"]);
  });

  test(`${way}: runToExit() is done when the process exits, although a daemon holds its output open`, async () => {
    const start = performance.now();
    const result = await runToExit(["/bin/sh", "-c", "sleep 5 & echo $!; exit 7"]);
    assert.equal(result.exitCode, 7);
    assert.ok(performance.now() - start < 4000);
    process.kill(Number(result.stdout.toString()));
  });

  test(`${way}: runToExit() loses no line of a command that prints much and ends at once`, async () => {
    const lines: string[] = [];
    await runToExit(["seq", "1", "50000"], { onLine: (_stream, line) => lines.push(line) });
    assert.equal(lines.length, 50_000);
    assert.equal(lines.at(-1), "50000");
  });

  test(`${way}: runToExit() gives lines as they come, keeps what follows a carriage return, and ends the last line`, async () => {
    const lines: string[] = [];
    await runToExit(["printf", "one\\r\\n10%%\\r20%%\\ntail"], {
      onLine: (stream, line) => lines.push(`${stream} ${line}`),
    });
    assert.deepEqual(lines, ["stdout one", "stdout 20%", "stdout tail"]);
  });

  test(`${way}: aborting ends the whole process group, also one that ignores SIGTERM`, async () => {
    const controller = new AbortController();
    const script = "trap '' TERM; echo $$; sh -c 'trap \"\" TERM; sleep 30' & sleep 30";
    const pids: number[] = [];
    const run = runToExit(["/bin/sh", "-c", script], {
      signal: controller.signal,
      killAfterMs: 100,
      onLine: (_stream, line) => {
        pids.push(Number(line));
        controller.abort(new Error("enough"));
      },
    });
    await assert.rejects(run, { message: "enough" });
    assert.equal(await groupSize(pids[0] ?? 0), 0);
  });

  test(`${way}: runCommand() refuses more output than it was allowed`, async () => {
    await assert.rejects(runCommand(["seq", "1", "1000"], { stdoutBytesMax: 100 }), /more than 100 bytes of output/);
  });

  test(`${way}: with named output, a command can open /dev/stdout and /dev/stderr by name, as another user too`, async () => {
    const lines: string[] = [];
    const script = "echo one >/dev/stdout; echo two >/dev/stderr; echo three | tee /dev/stderr >/dev/null";
    const argvs = [
      ["sh", "-c", script],
      ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script],
    ];
    for (const argv of argvs) {
      const onLine = (stream: string, line: string) => void lines.push(`${stream} ${line}`);
      const result = await runToExit(argv, { hasNamedOutput: true, onLine });
      assert.equal(result.exitCode, 0, result.stderrTail);
      assert.deepEqual(lines.splice(0).sort(), ["stderr three", "stderr two", "stdout one"]);
    }
  });

  // So that an amibake that is killed leaves nothing there.
  test(`${way}: with named output, nothing is made in the directory for temporary files`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "amibake-pipes-"));
    const before = process.env["TMPDIR"];
    process.env["TMPDIR"] = directory;
    const seen: string[] = [];
    const watcher = watch(directory, (_event, name) => void seen.push(String(name)));
    try {
      await runToExit(["true"], { hasNamedOutput: true });
      await writeFile(join(directory, "last"), "");
      while (!seen.includes("last")) await delay(5);
    } finally {
      watcher.close();
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      await rm(directory, { recursive: true });
    }
    assert.deepEqual([...new Set(seen)], ["last"]);
  });

  test(`${way}: with named output, where no file can be opened any more, the error names the limit`, async () => {
    const script = `
      const { runToExit } = await import(${JSON.stringify(import.meta.resolve("./run-command.ts"))});
      await runToExit(["true"], { hasNamedOutput: true });
      const { openSync } = await import("node:fs");
      try { for (;;) openSync("/dev/null"); } catch {}
      await runToExit(["true"], { hasNamedOutput: true }).catch((error) => process.stdout.write(error.message));`;
    const argv = [
      "prlimit",
      "--nofile=128",
      process.execPath,
      "--import",
      "tsx",
      "--input-type=module",
      "--eval",
      script,
    ];
    const { stdout } = await runCommand(argv);
    assert.equal(stdout.toString(), "Cannot make a pipe for a command's output: EMFILE");
  });

  test(`${way}: with named output, a daemon that holds it keeps nobody, and nothing stays open`, async () => {
    const pipes = async () => {
      const targets = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
      return (await Promise.all(targets)).filter((target) => target.startsWith("pipe:")).length;
    };
    await runToExit(["true"], { hasNamedOutput: true });
    const before = await pipes();
    const start = performance.now();
    const result = await runToExit(["sh", "-c", "sleep 3 & echo started"], { hasNamedOutput: true });
    assert.equal(result.stdout.toString(), "started\n");
    assert.ok(performance.now() - start < 2000);
    await assert.rejects(runToExit(["/nonexistent"], { hasNamedOutput: true }), { code: "ERR_COMMAND_FAILED" });
    const controller = new AbortController();
    const aborted = runToExit(["true"], { hasNamedOutput: true, signal: controller.signal });
    controller.abort(new Error("gone"));
    await assert.rejects(aborted, { message: "gone" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await pipes(), before);
  });

  test(`${way}: a command reads its input, and bytes and files as further descriptors`, async () => {
    const file = await open("/etc/hostname", "r");
    try {
      const script = "cat; cat <&3; wc -c <&4";
      const options = { input: "in ", extraFds: [Buffer.from("three "), file.fd] };
      const { stdout } = await runCommand(["/bin/sh", "-c", script], options);
      const { size } = await file.stat();
      assert.equal(stdout.toString(), `in three ${size}\n`);
    } finally {
      await file.close();
    }
    const long = "x".repeat(1_000_000);
    const { stdout } = await runCommand(["cat"], { input: long });
    assert.equal(stdout.toString(), long);
    // One that reads nothing of it.
    await runCommand(["true"], { input: long });
  });

  test(`${way}: a command has its directory, its environment, no signal ignored or blocked, and a session of its own`, async () => {
    const script = "pwd; echo $A; grep -E 'Sig(Blk|Ign)' /proc/self/status; [ $$ = $(ps -o sid= -p $$) ] && echo leads";
    const { stdout } = await runCommand(["/bin/sh", "-c", script], {
      cwd: "/usr",
      env: { PATH: "/usr/bin:/bin", A: "é b=c" },
    });
    const none = "0000000000000000";
    assert.equal(stdout.toString(), `/usr\né b=c\nSigBlk:\t${none}\nSigIgn:\t${none}\nleads\n`);
  });

  test(`${way}: a program is looked for in the PATH of its own environment`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "run-command-"));
    try {
      // No "#!": as execvp(3), it is a script of the shell.
      await writeFile(join(directory, "amibake-test"), "echo found\n", { mode: 0o755 });
      const { stdout } = await runCommand(["amibake-test"], { env: { PATH: `/nowhere:${directory}` } });
      assert.equal(stdout.toString(), "found\n");
      await assert.rejects(runCommand(["amibake-test"]), /is not installed/);
      await assert.rejects(runCommand([directory]), /EACCES/);
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  test(`${way}: what the kernel refuses is told, and what kills a command`, async () => {
    await assert.rejects(runCommand(["true", "x".repeat(200_000)]), /E2BIG/);
    await assert.rejects(runCommand(["true", "a\0b"]), /null bytes/);
    const killed = await runToExit(["/bin/sh", "-c", "kill -9 $$"]);
    assert.deepEqual([killed.exitCode, killed.signal], [137, "SIGKILL"]);
  });

  test(`${way}: many commands at once, each with its own end`, async () => {
    const codes = Array.from({ length: 60 }, (_, index) => index);
    const ends = await Promise.all(codes.map((code) => runToExit(["/bin/sh", "-c", `exit ${code}`])));
    assert.deepEqual(
      ends.map(({ exitCode }) => exitCode),
      codes,
    );
  });
}
