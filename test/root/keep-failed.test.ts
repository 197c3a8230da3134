// -on-error=abort and its like: everything stays, a person gets in, and `amibake clean` takes all of it away.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runCommand } from "../../src/linux/run-command.ts";
import { amibakeCommand } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { readHostState } from "../helpers/host-state.ts";
import { runAtTerminal } from "../helpers/terminal.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";
import { untilGone } from "../helpers/until-gone.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

const shell = (...inline: string[]) => ({ type: "shell", inline });

/** A template whose mountpoint tells that it is of this test. */
function templateOf(provisioners: readonly object[], builder = {}, more = {}): Promise<string> {
  const mount_path = join(cloud.scratch, "mnt/{{.Device}}");
  return writeTemplate(cloud, { ami_name: "image {{uuid}}", mount_path, ...builder }, provisioners as [], more);
}

/** What is left on the host and in the account, but for what was there before. */
async function left(): Promise<string[]> {
  const host = [...(await readHostState())].filter((line) => line.includes(cloud.scratch));
  return [...(await cloud.resources()), ...host, ...(await journals())];
}

const journals = () => readdir(join(cloud.scratch, "state/builds")).catch(() => []);

async function clean(): Promise<string> {
  const { exitCode, stdout, stderr } = await cloud.amibake(["clean", "--settle", "1s"]);
  assert.equal(exitCode, 0, stdout + stderr);
  return stdout;
}

/** What a command line prints that a person was told to type. */
async function output(commandLine: string): Promise<string> {
  return (await runCommand(["/bin/sh", "-c", commandLine])).stdout.toString();
}

function wayInOf(text: string): string {
  return /enter it with: (.*)/.exec(text)?.[1] ?? "(no way in was printed)";
}

test("abort keeps the image mounted, with a way in that works after amibake has ended; clean takes all of it", async () => {
  const evidence = shell("echo broken >/root/evidence; (sleep 600 &) ; sleep 0.3; exit 5");
  const { exitCode, stdout, stderr } = await cloud.amibake([
    "build",
    "-on-error=abort",
    await templateOf([evidence, shell("echo never")]),
  ]);
  assert.equal(exitCode, 3, stdout + stderr);
  assert.doesNotMatch(stdout, /never|Unmounting|Detaching/);
  assert.match(stdout, /Ended 1 process left in the image: sleep 600/);
  const [volume = "", ...others] = await cloud.resources();
  assert.deepEqual(others, []);
  assert.match(
    stderr,
    new RegExp(`Left behind:\n  mount ${cloud.scratch}/mnt/\\w+: kept .*\n {4}enter it with: .*nsenter`),
  );
  assert.match(stderr, new RegExp(`  volume ${volume}: kept .*\n {4}remove it with: .*amibake clean`));

  const wayIn = wayInOf(stderr);
  const script =
    "cat /root/evidence; readlink /proc/self/exe >/dev/null && echo proc; test -s /etc/resolv.conf && echo dns; ls -d /proc/[0-9]* | wc -l";
  const lines = (await output(`${wayIn} -c '${script}'`)).trim().split("\n");
  assert.deepEqual(lines.slice(0, 3), ["broken", "proc", "dns"]);
  assert.ok(Number(lines[3]) < 10, "it sees the processes of the sandbox only");
  await output(`${wayIn} -c 'echo more >>/root/evidence'`);
  assert.equal(await output(`${wayIn} -c 'cat /root/evidence'`), "broken\nmore\n");

  // Somebody is still in there.
  const visitor = spawn("/bin/sh", ["-c", `exec ${wayIn} -c 'echo in; sleep 600'`], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const visitorEnded = once(visitor, "exit");
  await once(visitor.stdout, "data");
  const namespace = await readlink(`/proc/${visitor.pid}/ns/mnt`);
  const dryRun = (await cloud.amibake(["clean", "--dry-run"])).stdout;
  assert.match(dryRun, new RegExp(`would remove mount ${cloud.scratch}/mnt/`));
  assert.equal(await output(`${wayIn} -c 'head -1 /root/evidence'`), "broken\n");
  const cleaned = await clean();
  assert.match(cleaned, new RegExp(`removed mount ${cloud.scratch}/mnt/`));
  assert.match(cleaned, new RegExp(`removed attachment ${volume}[\\s\\S]*removed volume ${volume}`));
  await visitorEnded;
  assert.deepEqual(await left(), []);
  // What the kernel ends with the namespace is gone a moment later.
  await untilGone(() => processesIn(namespace));
  assert.match(await clean(), /nothing to clean up/);
});

test("clean names a process that somebody put into a kept image's mount namespace, and leaves the image to it", async () => {
  const earlier = await left();
  const { stderr } = await cloud.amibake(["build", "-on-error=abort", await templateOf([shell("exit 5")])]);
  const [, holder = ""] = /\/proc\/(\d+)\/ns\/mnt/.exec(stderr) ?? [];
  // In the host's PID namespace: nothing ends it with the sandbox.
  const stranger = spawn("nsenter", [`--mount=/proc/${holder}/ns/mnt`, "sleep", "317"], { stdio: "ignore" });
  const strangerEnded = once(stranger, "exit");
  const ours = await readlink("/proc/self/ns/mnt");
  while ((await readlink(`/proc/${stranger.pid}/ns/mnt`)) === ours) await delay(10);

  const start = performance.now();
  const refused = await cloud.amibake(["clean", "--settle", "1s"]);
  assert.equal(refused.exitCode, 3, refused.stdout);
  assert.match(
    refused.stdout,
    new RegExp(
      `Cannot remove mount ${cloud.scratch}/mnt/\\w+: Cannot unmount the kept image: process ${stranger.pid} \\(sleep 317\\) holds it\n` +
        ` +hint: End it, then run amibake clean again: kill ${stranger.pid}\n`,
    ),
  );
  assert.ok(performance.now() - start < 15_000, "it does not wait for what will not come");
  assert.equal(await output(`${wayInOf(stderr)} -c 'echo in'`), "in\n");

  stranger.kill();
  await strangerEnded;
  assert.match(await clean(), new RegExp(`removed mount ${cloud.scratch}/mnt/`));
  assert.deepEqual(await left(), earlier);
});

async function processesIn(namespace: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const namespaces = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/ns/mnt`).catch(() => "")));
  return pids.filter((_, index) => namespaces[index] === namespace);
}

test("run-cleanup-provisioner runs it in the image, and keeps everything", async () => {
  const cleanup = shell("echo tidied >/root/evidence");
  const path = await templateOf([shell("exit 5")], {}, { "error-cleanup-provisioner": cleanup });
  const kept = await cloud.amibake(["build", "-json", "-on-error=run-cleanup-provisioner", path]);
  assert.equal(kept.exitCode, 3, kept.stdout);
  const result = JSON.parse(kept.stdout.trim().split("\n").at(-1) ?? "");
  assert.deepEqual(
    result.leftovers.map(({ kind }: { kind: string }) => kind),
    ["mount", "volume"],
  );
  assert.equal(result.leftovers[0].error.code, "ERR_KEPT");
  assert.equal(await output(`${result.leftovers[0].enterWith} -c 'cat /root/evidence'`), "tidied\n");
  await clean();

  // abort does not run it.
  const aborted = await cloud.amibake(["build", "-on-error=abort", path]);
  assert.equal(aborted.exitCode, 3, aborted.stdout);
  assert.doesNotMatch(aborted.stdout, /error-cleanup/);
  assert.equal(await output(`${wayInOf(aborted.stderr)} -c 'test -e /root/evidence || echo untidy'`), "untidy\n");
  await clean();
  assert.deepEqual(await left(), []);
});

test("abort keeps what there is: an attached volume before the mount, a snapshot after it", async () => {
  const unmounted = await cloud.amibake(["build", "-on-error=abort", await templateOf([], { mount_partition: "9" })]);
  assert.equal(unmounted.exitCode, 3, unmounted.stdout + unmounted.stderr);
  assert.doesNotMatch(unmounted.stderr, /enter it with/);
  assert.match(unmounted.stderr, /Left behind:\n {2}volume vol-/);
  assert.doesNotMatch(unmounted.stdout, /Detaching/);
  assert.match(await clean(), /removed attachment vol-/);
  assert.deepEqual(await left(), []);

  // Both find the name free, and one of them comes second.
  const path = await templateOf([shell("sleep 1")], { ami_name: `twice ${cloud.scratch.slice(-6)}` });
  const template = JSON.parse(await readFile(path, "utf8"));
  template.builders = ["one", "two"].map((name) => ({ ...template.builders[0], name }));
  await writeFile(path, JSON.stringify(template));
  const second = await cloud.amibake(["build", "-on-error=abort", path]);
  assert.equal(second.exitCode, 3, second.stdout + second.stderr);
  const [, snapshot = ""] = /Left behind:[\s\S]* {2}snapshot (snap-\w+): kept/.exec(second.stderr) ?? [];
  assert.ok((await cloud.resources()).includes(snapshot), second.stderr);
  assert.match(await clean(), new RegExp(`removed snapshot ${snapshot}`));
  const made = await cloud.resources();
  assert.deepEqual(made.map((id) => id.replace(/-.*/, "")).sort(), ["ami", "snap"], "the other build's stay");
  assert.deepEqual(await journals(), []);
});

test("abort keeps everything on Ctrl-C too, as in Packer, and the letter a of -on-error=ask does the same", async () => {
  const earlier = await left();
  const slow = await templateOf([shell("echo now", "sleep 600")]);
  const interrupted = await cloud.amibake(["build", "-color=false", "-on-error=abort", slow], {
    onStart: (child) => void child.printed(": now").then(() => child.kill("SIGINT")),
  });
  assert.equal(interrupted.exitCode, 3, interrupted.stdout + interrupted.stderr);
  assert.match(interrupted.stdout, /keeping what was made/);
  assert.equal(await output(`${wayInOf(interrupted.stderr)} -c 'echo in'`), "in\n");
  await clean();
  assert.deepEqual(await left(), earlier);

  const argv = [
    ...(await amibakeCommand()),
    "build",
    "-color=false",
    "-on-error=ask",
    await templateOf([shell("exit 5")]),
  ];
  await using terminal = runAtTerminal(argv, { env: cloud.environment, cwd: cloud.scratch });
  await terminal.waitFor("[a]bort without cleanup");
  terminal.type("a\n");
  assert.equal(await terminal.ended, 3, terminal.screen());
  assert.equal(await output(`${wayInOf(terminal.screen())} -c 'echo in'`), "in\n");
  await clean();
  assert.deepEqual(await left(), earlier);
});

test("a kept image whose holder was killed is gone, and clean removes what is left of it", async () => {
  const earlier = await left();
  const { stderr } = await cloud.amibake(["build", "-on-error=abort", await templateOf([shell("exit 5")])]);
  const [, holder = ""] = /\/proc\/(\d+)\/ns\/mnt/.exec(stderr) ?? [];
  const namespace = await readlink(`/proc/${holder}/ns/mnt`);
  process.kill(Number(holder), "SIGKILL");
  await untilGone(() => processesIn(namespace));
  const cleaned = await clean();
  assert.doesNotMatch(cleaned, /removed mount/);
  assert.match(cleaned, /removed volume/);
  assert.deepEqual(await left(), earlier);
});
