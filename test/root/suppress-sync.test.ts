// Programs in the image that wait for the disk, under the filter that spares them the wait.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile, realpath } from "node:fs/promises";
import { basename } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { mountRoot } from "../../src/build/image-root/mount-root.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import type { Launcher } from "../../src/linux/sandbox/sandbox.ts";
import { createSyncLauncher } from "../../src/linux/sandbox/sync-launcher.ts";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { communicatorOf } from "../helpers/image-commands.ts";
import { openImageFixture } from "../helpers/image-fixture.ts";
import { readImageFile } from "../helpers/read-image.ts";
import { startTestCloud } from "../helpers/test-cloud.ts";

const never = new AbortController().signal;

/** A mounted image whose commands are started by the launcher, or without one. */
async function openImage(launcher: Launcher | undefined) {
  const fixture = await openImageFixture();
  const root = await mountRoot(fixture.context, fixture.sandbox, fixture.device);
  const commands = communicatorOf(fixture, root.mountpoint, { launcher });
  const upload = async (content: Uint8Array, path: string) =>
    commands.communicator.uploadBytes(content, path, { mode: 0o755, signal: never });
  const disk = basename(fixture.device);
  return {
    ...fixture,
    ...commands,
    root,
    upload,
    /** How often the disk was told to write down what it has. */
    async flushes(): Promise<number> {
      // Documentation/admin-guide/iostats.rst, field 16.
      const fields = (await readFile(`/sys/block/${disk}/stat`, "utf8")).trim().split(/\s+/);
      return Number(fields[15]);
    },
    async [Symbol.asyncDispose]() {
      await root[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
    },
  };
}

// fsync, fdatasync, syncfs and sync_file_range of no file, msync of no page, then sync: what the kernel refuses, the
// filter answers with 0.
const PERL_CALLS: Readonly<Record<string, string>> = {
  x64: "[74, -1], [75, -1], [306, -1], [277, -1, 0, 0, 0], [26, 1, 1, 4], [162]",
  arm64: "[82, -1], [83, -1], [267, -1], [84, -1, 0, 0, 0], [227, 1, 1, 4], [81]",
};
const PERL_SCRIPT = `print join(" ", map { syscall($_->[0], @{$_}[1 .. $#$_]) } (${PERL_CALLS[process.arch]})), "\\n"`;

/** The host's perl, which can make any system call, and the libraries it loads. */
async function uploadPerl({ upload }: Pick<Awaited<ReturnType<typeof openImage>>, "upload">): Promise<void> {
  await upload(await readFile(await realpath("/usr/bin/perl")), "/usr/bin/perl");
  const { stdout } = await runCommand(["ldd", "/usr/bin/perl"]);
  for (const library of stdout.toString().match(/\/\S+/g) ?? []) await upload(await readFile(library), library);
}

test("system calls that wait for the disk return 0 at once, and only with the filter", async () => {
  for (const [launcher, answer] of [
    [await createSyncLauncher(), "0 0 0 0 0 0"],
    [undefined, "-1 -1 -1 -1 -1 0"],
  ] as const) {
    await using image = await openImage(launcher);
    await uploadPerl(image);
    await image.upload(Buffer.from(PERL_SCRIPT), "/calls.pl");
    assert.deepEqual(await image.run("perl /calls.pl"), [answer]);
  }
});

test("the disk is not told to flush with the filter, and is without", async () => {
  const flushesOf = async (launcher: Launcher | undefined) => {
    await using image = await openImage(launcher);
    await image.run("mkdir /data; : >/data/0");
    const before = await image.flushes();
    await image.run(
      "for i in $(seq 20); do echo $i >/data/$i; fsync /data/$i; sync; dd if=/data/0 of=/data/d conv=fsync 2>&1; done",
    );
    return (await image.flushes()) - before;
  };
  const without = await flushesOf(undefined);
  assert.ok(without >= 20, `${without} flushes without the filter`);
  const suppressed = await flushesOf(await createSyncLauncher());
  // One may be the file system's own, which writes its journal each 5 s.
  assert.ok(suppressed <= 2, `${suppressed} flushes with the filter`);
});

/** A program for i386 of one system call with ebx = -1; its exit code is the error number, 0 for none. */
function i386Program(systemCall: number): Buffer {
  const BASE = 0x0804_8000;
  const HEADERS_BYTES = 52 + 32;
  const code = [
    ...[0xb8, ...word(systemCall), 0xbb, 0xff, 0xff, 0xff, 0xff, 0x31, 0xc9, 0xcd, 0x80], // mov eax; mov ebx, -1; xor ecx, ecx; int 0x80
    ...[0xf7, 0xd8, 0x89, 0xc3, 0xb8, ...word(1), 0xcd, 0x80], // neg eax; mov ebx, eax; mov eax, 1 (exit); int 0x80
  ];
  const header = Buffer.alloc(HEADERS_BYTES);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]).copy(header);
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(3, 18); // for i386
  for (const [offset, value] of [
    ...[
      [20, 1],
      [24, BASE + HEADERS_BYTES],
      [28, 52],
    ], // version, entry, where the program header is
    ...[
      [52, 1],
      [56, 0],
      [60, BASE],
      [64, BASE],
      [68, HEADERS_BYTES + code.length],
      [72, HEADERS_BYTES + code.length],
    ],
    ...[
      [76, 5],
      [80, 0x1000],
    ], // readable and executable, alignment
  ] as [number, number][]) {
    header.writeUInt32LE(value, offset);
  }
  for (const [offset, value] of [
    [40, 52],
    [42, 32],
    [44, 1],
  ] as const)
    header.writeUInt16LE(value, offset);
  return Buffer.concat([header, Buffer.from(code)]);
}

function word(value: number): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return [...bytes];
}

const is32BitOnX64 = process.arch === "x64" ? {} : { skip: "i386 programs run on x86-64 only" };

test("a 32-bit program's calls are told by its own numbers", is32BitOnX64, async (context) => {
  const EBADF = 9;
  const EFAULT = 14;
  const FSYNC = 118;
  // As a number of x86-64 it would be sync.
  const NANOSLEEP = 162;
  for (const [launcher, codes] of [
    [undefined, [EBADF, EFAULT]],
    [await createSyncLauncher(), [0, EFAULT]],
  ] as const) {
    await using image = await openImage(launcher);
    await image.upload(i386Program(FSYNC), "/fsync32");
    await image.upload(i386Program(NANOSLEEP), "/nanosleep32");
    const lines = await image.run("/fsync32; echo $?; /nanosleep32; echo $?");
    if (lines.some((line) => /Exec format error/.test(line))) return context.skip("this kernel runs no i386 programs");
    assert.deepEqual(lines.map(Number), codes);
  }
});

test("under the filter a command is as without: codes, words, output by name, rights, namespaces", async () => {
  const looks = async (launcher: Launcher | undefined) => {
    await using image = await openImage(launcher);
    await image.run("mkdir -p /proc && mount -t proc proc /proc");
    const codeOf = (commandLine: string) => image.communicator.run(commandLine, { signal: never, onLine: () => {} });
    const codes = [];
    for (const line of ["exit 7", "kill -TERM $$", "kill -KILL $$", "no-such-command"]) codes.push(await codeOf(line));
    await image.run("mkdir -p /tmp/mounted && mount -t tmpfs tmpfs /tmp/mounted && echo kept >/tmp/mounted/file");
    const lines = await image.run(`cat /tmp/mounted/file; echo "it's" 'two  words'; pwd; umask; env | sort
      echo by name >/dev/stdout 2>/dev/null || echo no /dev; cat; grep Cap /proc/self/status; ls /proc/self/fd
      for each in mnt pid ipc net user uts; do test "$(readlink /proc/self/ns/$each)" = "$(readlink /proc/1/ns/$each)" || echo another $each; done`);
    return { codes, lines };
  };
  const suppressed = await looks(await createSyncLauncher());
  assert.deepEqual(suppressed.codes, [7, 143, 137, 127]);
  assert.equal(suppressed.lines[0], "kept");
  assert.deepEqual(suppressed, await looks(undefined));
});

test("under the filter what is left is ended and named, and cancelling ends a command at once", async () => {
  await using image = await openImage(await createSyncLauncher());
  await image.run(
    "mkdir -p /dev; : >>/dev/null; (trap '' TERM; exec sleep 67) >/tmp/a 2>&1 & setsid sleep 68 >/tmp/b 2>&1 &",
  );
  // Their shells may not have become them yet.
  for (const line of ["sleep 67", "sleep 68"]) {
    while (!(await processesWith(line)).some((each) => each.trim() === line)) await delay(10);
  }
  const left = await image.sandbox.endProcesses(100);
  assert.deepEqual(left.map(({ commandLine }) => commandLine).sort(), ["sleep 67", "sleep 68"]);

  const controller = new AbortController();
  let abortedAtMs = 0;
  const running = image.communicator.run("echo started; sleep 69", {
    signal: controller.signal,
    onLine: () => {
      abortedAtMs = performance.now();
      controller.abort(new Error("Received SIGINT"));
    },
  });
  await assert.rejects(running, { message: "Received SIGINT" });
  assert.ok(performance.now() - abortedAtMs < 1500, "the command did not end by SIGTERM");
  assert.deepEqual(await image.sandbox.endProcesses(0), []);
});

/** Processes of this host in whose command line the text stands. */
async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return lines.map((line) => line.replaceAll("\0", " ")).filter((line) => line.includes(text));
}

test("a killed build leaves no process, nor does the program that loaded the filter stay", async () => {
  await using cloud = await startTestCloud();
  const marker = `script-${process.pid}.sh`;
  const template = await writeTemplate(cloud, {}, [
    { type: "shell", remote_file: marker, inline: ["echo provisioning", "sleep 600"] },
  ]);
  let before: string[] = [];
  const killed = await cloud.amibake(["build", template], {
    onStart: async (child) => {
      await child.printed("provisioning\n");
      before = await processesWith(marker);
      child.kill("SIGKILL");
    },
  });
  assert.equal(killed.signal, "SIGKILL");
  assert.ok(
    before.some((line) => line.startsWith("bwrap ")),
    before.join("\n"),
  );
  // The kernel does it, with no time limit of its own.
  for (let looks = 0; looks < 100 && (await processesWith(marker)).length > 0; looks++) await delay(20);
  assert.deepEqual(await processesWith(marker), []);
  const cleaned = await cloud.amibake(["clean", "--settle", "1s"]);
  assert.equal(cleaned.exitCode, 0, cleaned.stderr);
});

test("what was written without waiting is in the image after the build", async () => {
  await using cloud = await startTestCloud();
  const template = await writeTemplate(cloud, {}, [
    { type: "shell", inline: ["seq 1 300000 >/data; sync; sha256sum /data >/sum; sync"] },
  ]);
  const result = await cloud.amibake(["build", "-machine-readable", template]);
  assert.equal(result.exitCode, 0, result.stdout + result.stderr);
  const imageId = /artifact,0,id,[a-z0-9-]+:(ami-\w+)/.exec(result.stdout)?.[1] ?? "";
  const data = await readImageFile(cloud, imageId, "/data");
  assert.equal(data.split("\n").length, 300_001);
  const sum = createHash("sha256").update(data).digest("hex");
  assert.equal(await readImageFile(cloud, imageId, "/sum"), `${sum}  /data\n`);
});

test("a host on which bubblewrap does not run says so once, and builds", async () => {
  await using cloud = await startTestCloud();
  const first = await writeTemplate(cloud, {}, [{ type: "shell", inline: ["grep Seccomp: /proc/self/status"] }]);
  const [builder] = JSON.parse(await readFile(first, "utf8")).builders;
  const template = await writeTemplate(cloud, { name: "one" }, [
    { type: "shell", inline: ["grep Seccomp: /proc/self/status"] },
  ]);
  const text = JSON.parse(await readFile(template, "utf8"));
  text.builders.push({ ...builder, name: "two" });
  const hideBwrap = 'mount --bind /dev/null "$(command -v bwrap)" && exec "$@"';
  const { stdout } = await runCommand(
    ["unshare", "--mount", "/bin/sh", "-c", hideBwrap, "sh", ...(await amibakeCommand()), "build", "-color=false", "-"],
    {
      input: JSON.stringify(text),
      cwd: cloud.scratch,
      env: { ...cloud.environment, PATH: process.env["PATH"] ?? "", HOME: cloud.scratch },
    },
  );
  const lines = stdout.toString().split("\n");
  assert.equal(lines.filter((line) => /Cannot suppress fsync in the image: .*bwrap/.test(line)).length, 1);
  assert.equal(lines.filter((line) => /Seccomp:\s+0/.test(line)).length, 2, stdout.toString());
});

test("suppress_sync = false loads no filter", async () => {
  await using cloud = await startTestCloud();
  const provisioners = [{ type: "shell", inline: ["grep Seccomp: /proc/self/status"] }];
  for (const [suppress, mode] of [
    [false, "0"],
    [true, "2"],
  ] as const) {
    const result = await cloud.amibake([
      "build",
      await writeTemplate(cloud, { suppress_sync: suppress }, provisioners),
    ]);
    assert.match(result.stdout, new RegExp(`Seccomp:\\s+${mode}`), result.stdout + result.stderr);
  }
});
