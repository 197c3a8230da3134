import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  EC2Client,
} from "@aws-sdk/client-ec2";
import { listLoopDevices } from "../../src/linux/devices/loop-device.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { type CliResult, runAmibake } from "../helpers/amibake-cli.ts";

interface Store extends AsyncDisposable {
  readonly directory: string;
  /** Runs `amibake local …` on it. */
  local(...args: string[]): Promise<CliResult>;
  /** Runs it and asserts that it succeeds. */
  ok(...args: string[]): Promise<CliResult>;
  daemonPid(): Promise<number>;
}

async function makeStore(): Promise<Store> {
  const parent = await mkdtemp(join(tmpdir(), "amibake-daemon-"));
  const directory = join(parent, "store");
  const local = (...args: string[]) => runAmibake(["local", ...args, "--store", directory]);
  const ok = async (...args: string[]) => {
    const result = await local(...args);
    assert.equal(result.exitCode, 0, result.stderr);
    return result;
  };
  return {
    directory,
    local,
    ok,
    async daemonPid() {
      const { stdout } = await ok("status", "--json");
      return JSON.parse(stdout).pid;
    },
    async [Symbol.asyncDispose]() {
      await local("stop", "--force");
      const reset = await local("reset", "--yes");
      assert.equal(reset.exitCode, 0, reset.stderr);
      assert.deepEqual(await readdir(parent), []);
      await rm(parent, { recursive: true });
      const left = (await listLoopDevices()).filter(({ backingFile }) => backingFile.startsWith(parent));
      assert.deepEqual(left, []);
    },
  };
}

function environmentOf({ stdout }: CliResult): Record<string, string> {
  const lines = stdout.split("\n").filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^export ([A-Z0-9_]+)='?([^']*)'?$/.exec(line) ?? assert.fail(`no export: ${line}`);
      return [name, value];
    }),
  );
}

/** Of the daemon that runs, whoever started it. */
async function environmentIn({ directory }: Store): Promise<Record<string, string>> {
  return JSON.parse(await readFile(join(directory, "endpoint.json"), "utf8")).environment;
}

function ec2Of(environment: Record<string, string>): EC2Client {
  return new EC2Client({
    endpoint: environment["AWS_ENDPOINT_URL"] ?? "",
    region: environment["AWS_REGION"] ?? "",
    credentials: {
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  });
}

const suffixes = [..."tuvwx"].values();

/** Makes a volume of 1 GiB and attaches it under a name that no build chooses, and no other test. */
async function attachVolume(ec2: EC2Client, environment: Record<string, string>) {
  const url = `${environment["AWS_EC2_METADATA_SERVICE_ENDPOINT"]}/latest/meta-data/instance-id`;
  const InstanceId = await (await fetch(url)).text();
  const zone = `${environment["AWS_REGION"]}a`;
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: zone, Size: 1 }));
  assert.ok(VolumeId !== undefined);
  await volumeState(ec2, VolumeId, "available");
  const devicePath = `/dev/xvdd${suffixes.next().value}`;
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: devicePath }));
  await volumeState(ec2, VolumeId, "in-use");
  return { volumeId: VolumeId, devicePath };
}

async function volumeState(ec2: EC2Client, volumeId: string, state: string): Promise<void> {
  for (;;) {
    const { Volumes: [volume] = [] } = await ec2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
    const isSettled = state !== "in-use" || volume?.Attachments?.[0]?.State === "attached";
    if (volume?.State === state && isSettled) return;
    await delay(20);
  }
}

async function isBlockDevice(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isBlockDevice(),
    () => false,
  );
}

async function hasEnded(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
    // A zombie has ended; its parent, the test's init, has not looked yet.
    return / Z /.test(await readFile(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}

test("local start prints an environment that works, and is the same when it runs already", async () => {
  await using store = await makeStore();
  const started = await store.ok("start", "--seed", "7");
  const environment = environmentOf(started);
  assert.deepEqual(Object.keys(environment), [
    "AWS_ENDPOINT_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AMIBAKE_LOCAL_STORE",
  ]);
  const ec2 = ec2Of(environment);
  assert.deepEqual((await ec2.send(new DescribeVolumesCommand({}))).Volumes ?? [], []);
  ec2.destroy();
  assert.equal((await store.ok("start")).stdout, started.stdout);
  assert.equal((await store.ok("status")).stdout.includes(environment["AWS_ENDPOINT_URL"] ?? "?"), true);
  const other = await store.local("start", "--seed", "8", "--nitro");
  assert.equal(other.exitCode, 4);
  assert.match(other.stderr, /Cannot start the local cloud of ".*": it runs already .*, without --seed 8 --nitro/);
  for (const name of ["control.sock", "endpoint.json", "daemon.log"]) {
    assert.equal((await stat(join(store.directory, name))).mode & 0o777, 0o600, name);
  }
  assert.equal((await stat(store.directory)).mode & 0o777, 0o700);
  const pid = await store.daemonPid();
  await store.ok("stop");
  // The kernel closes its connections some instants before it is gone.
  for (let tries = 0; !(await hasEnded(pid)); tries++) {
    assert.ok(tries < 100, "the daemon goes on");
    await delay(10);
  }
  assert.equal((await store.local("status")).exitCode, 1);
  await assert.rejects(access(join(store.directory, "control.sock")));
  await store.ok("stop");
});

test("local start, many times at once, starts one daemon", async () => {
  await using store = await makeStore();
  const results = await Promise.all(Array.from({ length: 4 }, () => store.ok("start")));
  assert.equal(new Set(results.map(({ stdout }) => stdout)).size, 1);
});

test("local start says why it cannot", async () => {
  await using store = await makeStore();
  const taken = await store.local("start", "--listen", "192.0.2.1");
  assert.equal(taken.exitCode, 4);
  assert.match(taken.stderr, /^Error: Cannot listen on "192.0.2.1" port 0: /);
  const imds = await store.local("start", "--imds", "nowhere");
  assert.equal(imds.exitCode, 2);
  assert.match(imds.stderr, /it is not HOST:PORT/);
});

// Node's own recursive mkdir never ends there.
test("a store that cannot be made is named, whoever would make it", { timeout: 30_000 }, async () => {
  for (const args of [["start"], ["start", "--foreground"], ["serve"], ["images"]]) {
    for (const [store, why] of [
      ["/proc/amibake/store", "ENOENT"],
      ["/dev/null", "ENOTDIR"],
    ] as const) {
      const { exitCode, stderr, stdout } = await runAmibake(["local", ...args, "--store", store]);
      assert.equal(exitCode, 4, stderr);
      const start = `Error: Cannot make the store's directory "${store}": ${why}: `;
      assert.ok(stderr.startsWith(start), `${args.join(" ")}: ${stderr}${stdout}`);
      assert.match(stderr, /hint: Choose another store with --store\n$/);
    }
  }
});

test("local start --foreground ends with a signal, and gives its devices back", async () => {
  await using store = await makeStore();
  let devicePath = "";
  const result = await runAmibake(["local", "start", "--foreground", "--store", store.directory], {
    async onStart(child) {
      await child.printed("AMIBAKE_LOCAL_STORE");
      const environment = await environmentIn(store);
      const ec2 = ec2Of(environment);
      ({ devicePath } = await attachVolume(ec2, environment));
      assert.equal(await isBlockDevice(devicePath), true);
      ec2.destroy();
      child.kill("SIGINT");
    },
  });
  assert.equal(result.exitCode, 0, result.stderr);
  assert.notEqual(devicePath, "");
  assert.equal(await isBlockDevice(devicePath), false);
});

test("eight commands at once with no daemon running all succeed, and leave none", async () => {
  await using store = await makeStore();
  const results = await Promise.all(Array.from({ length: 8 }, () => store.local("images")));
  for (const { exitCode, stderr } of results) assert.equal(exitCode, 0, stderr);
  assert.equal((await store.local("status")).exitCode, 1);
  await assert.rejects(access(join(store.directory, "control.sock")));
});

async function waitUntilThere(path: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    assert.ok(tries < 10_000, `${path} does not appear`);
    await delay(5);
  }
}

test("a killed client does not keep its daemon", async () => {
  await using store = await makeStore();
  // The second one waits for a big answer that nobody reads; both are killed while the daemon works for them.
  await store.ok("images");
  const image = join(store.directory, "disk.raw");
  await runCommand(["truncate", "--size=4G", image]);
  await runCommand(["sfdisk", "--quiet", image], { input: "label: gpt\nsize=1G\n" });
  await runCommand(["dd", "if=/dev/urandom", `of=${image}`, "bs=1M", "count=300", "seek=2", "conv=notrunc"]);
  const result = await runAmibake(["local", "import", image, "--name", "x", "--store", store.directory], {
    async onStart(child) {
      // Looked for without a process each time: on a busy machine the import would be over before the first had told.
      await waitUntilThere(join(store.directory, "control.sock"));
      await delay(100);
      child.kill("SIGKILL");
    },
  });
  assert.equal(result.signal, "SIGKILL");
  for (let tries = 0; (await store.local("status")).exitCode === 0; tries++) {
    assert.ok(tries < 100, "the daemon goes on");
    await delay(50);
  }
  await rm(image);
  assert.equal((await store.ok("images")).stdout.includes(" x"), false, "the import was undone");
  assert.deepEqual(await readdir(join(store.directory, "scratch")), []);
  assert.deepEqual(await readdir(join(store.directory, "snapshots")), []);
});

test("a killed daemon's store opens again with everything, devices too", async () => {
  await using store = await makeStore();
  const environment = environmentOf(await store.ok("start"));
  const ec2 = ec2Of(environment);
  const { volumeId, devicePath } = await attachVolume(ec2, environment);
  ec2.destroy();
  const pid = await store.daemonPid();
  process.kill(pid, "SIGKILL");
  while (!(await hasEnded(pid))) await delay(10);
  assert.equal((await store.local("status")).exitCode, 1);
  assert.equal(await isBlockDevice(devicePath), true);
  const again = environmentOf(await store.ok("start"));
  assert.equal(again["AWS_SECRET_ACCESS_KEY"], environment["AWS_SECRET_ACCESS_KEY"]);
  const sameEc2 = ec2Of(again);
  await volumeState(sameEc2, volumeId, "in-use");
  assert.equal(await isBlockDevice(devicePath), true);
  await sameEc2.send(new DetachVolumeCommand({ VolumeId: volumeId }));
  await volumeState(sameEc2, volumeId, "available");
  assert.equal(await isBlockDevice(devicePath), false);
  sameEc2.destroy();
});

test("stop leaves a mounted device, reset refuses and names it, and takes it once it is free", async () => {
  await using store = await makeStore();
  const environment = environmentOf(await store.ok("start"));
  const ec2 = ec2Of(environment);
  const { devicePath } = await attachVolume(ec2, environment);
  ec2.destroy();
  await runCommand(["mke2fs", "-q", "-t", "ext4", devicePath]);
  const mountpoint = await mkdtemp(join(tmpdir(), "amibake-mount-"));
  const script = `mount ${devicePath} ${mountpoint} && echo mounted && read -r line`;
  const holder = spawn("unshare", ["--mount", "sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
  try {
    await once(holder.stdout, "data");
    await store.ok("stop");
    assert.match(await readFile(join(store.directory, "daemon.log"), "utf8"), /is in use, so it stays/);
    assert.equal(await isBlockDevice(devicePath), true);
    const refused = await store.local("reset", "--yes");
    assert.equal(refused.exitCode, 4);
    assert.ok(refused.stderr.includes(`"${devicePath}" is in use`), refused.stderr);
    assert.ok(refused.stderr.includes(`mounted on ${mountpoint}`), refused.stderr);
    assert.ok((await readdir(store.directory)).includes("blocks"), "nothing was deleted");
  } finally {
    holder.stdin.end();
    await once(holder, "exit");
    await rm(mountpoint, { recursive: true });
  }
  await store.ok("reset", "--yes");
  assert.equal(await isBlockDevice(devicePath), false);
});

test("local reset asks, leaves what is not its own, and finds nothing where no store is", async () => {
  await using store = await makeStore();
  await store.ok("images");
  const asked = await store.local("reset");
  assert.equal(asked.exitCode, 2);
  assert.match(asked.stderr, /Cannot ask whether to delete ".*"\n {2}hint: Say it in advance: --yes/);
  await runCommand(["touch", join(store.directory, "mine")]);
  await store.ok("reset", "--yes");
  assert.deepEqual(await readdir(store.directory), ["mine"]);
  assert.match((await store.ok("reset", "--yes")).stderr, /There is no store in/);
  await rm(store.directory, { recursive: true });
});

test("a store with a very long path works", async () => {
  await using store = await makeStore();
  const directory = join(store.directory, "long".repeat(20), "long".repeat(20));
  const local = (...args: string[]) => runAmibake(["local", ...args, "--store", directory]);
  assert.equal((await local("images")).exitCode, 0);
  assert.equal((await local("reset", "--yes")).exitCode, 0);
  await rm(store.directory, { recursive: true });
});
