import assert from "node:assert/strict";
import { readdir, readFile, readlink } from "node:fs/promises";
import { test } from "node:test";
import { CommandError, runCommand, runToExit } from "./run-command.ts";

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

test("runCommand() passes words exactly as they are", async () => {
  const word = "a b'c\"d`e$HOME$(id)\nf\\";
  const { stdout } = await runCommand(["printf", "%s", word]);
  assert.equal(stdout.toString(), word);
});

test("runCommand() names the command, its exit code and its last words when it fails", async () => {
  await assert.rejects(runCommand(["/bin/sh", "-c", "echo no luck >&2; exit 3"]), (error) => {
    assert.ok(error instanceof CommandError);
    assert.equal(error.message, `Cannot run "/bin/sh -c 'echo no luck >&2; exit 3'": exit code is 3: no luck`);
    assert.equal(error.exitCode, 3);
    return true;
  });
});

test("runCommand() says that a program is not installed", async () => {
  await assert.rejects(runCommand(["amibake-no-such-program"]), {
    message: 'Cannot run "amibake-no-such-program": "amibake-no-such-program" is not installed',
    hint: 'Run "amibake doctor": it prints the command that installs what is missing',
  });
});

test("runCommand() gives a command nothing of the environment but PATH and LC_ALL", async () => {
  const { stdout } = await runCommand(["env"]);
  const names = stdout
    .toString()
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0]);
  assert.deepEqual(names.sort(), ["LC_ALL", "PATH"]);
});

test("runToExit() is done when the process exits, although a daemon holds its output open", async () => {
  const start = performance.now();
  const result = await runToExit(["/bin/sh", "-c", "sleep 5 & echo $!; exit 7"]);
  assert.equal(result.exitCode, 7);
  assert.ok(performance.now() - start < 4000);
  process.kill(Number(result.stdout.toString()));
});

test("runToExit() loses no line of a command that prints much and ends at once", async () => {
  const lines: string[] = [];
  await runToExit(["seq", "1", "50000"], { onLine: (_stream, line) => lines.push(line) });
  assert.equal(lines.length, 50_000);
  assert.equal(lines.at(-1), "50000");
});

test("runToExit() gives lines as they come, keeps what follows a carriage return, and ends the last line", async () => {
  const lines: string[] = [];
  await runToExit(["printf", "one\\r\\n10%%\\r20%%\\ntail"], {
    onLine: (stream, line) => lines.push(`${stream} ${line}`),
  });
  assert.deepEqual(lines, ["stdout one", "stdout 20%", "stdout tail"]);
});

test("aborting ends the whole process group, also one that ignores SIGTERM", async () => {
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

test("runCommand() refuses more output than it was allowed", async () => {
  await assert.rejects(runCommand(["seq", "1", "1000"], { stdoutBytesMax: 100 }), /more than 100 bytes of output/);
});

test("with named output, a command can open /dev/stdout and /dev/stderr by name, as another user too", async () => {
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

test("with named output, a daemon that holds it keeps nobody, and nothing stays open", async () => {
  const pipeCount = async () => {
    const targets = (await readdir("/proc/self/fd")).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => ""));
    return (await Promise.all(targets)).filter((target) => target.includes("/amibake-output-")).length;
  };
  // Pipes are made eight at a time, with two ends each; those that are not used yet are open.
  for (let run = 0; run < 8; run++) await runToExit(["true"], { hasNamedOutput: true });
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
  const count = await pipeCount();
  assert.ok(count <= 16, `${count} ends are open`);
});
