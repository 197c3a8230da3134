// What a build leaves that was killed, `amibake clean` removes: that, all of that, and nothing else.
import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  AttachVolumeCommand,
  CreateSnapshotCommand,
  CreateTagsCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
} from "@aws-sdk/client-ec2";
import { runToExit } from "../../src/linux/run-command.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { makeGate } from "../helpers/gate.ts";
import { readHostState } from "../helpers/host-state.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

const journals = () => readdir(join(cloud.scratch, "state/builds"));

/** A build that waits in its provisioner until the gate is opened. */
async function startBuild(name: string) {
  const { chroot_mounts, wait, open } = await makeGate(cloud);
  const template = await writeTemplate(
    cloud,
    { ami_name: name, mount_path: join(cloud.scratch, "mnt/{{.Device}}"), chroot_mounts },
    [{ type: "shell", inline: ["echo provisioning", wait] }],
  );
  let start: (running: { pid: number; kill(signal: NodeJS.Signals): void }) => void = () => {};
  const started = new Promise<{ pid: number; kill(signal: NodeJS.Signals): void }>((resolve) => {
    start = resolve;
  });
  const ended = cloud.amibake(["build", template], {
    onStart: (child) => void child.printed("provisioning\n").then(() => start(child)),
  });
  return { running: await started, ended, open };
}

async function killBuild(name: string): Promise<void> {
  const { running, ended } = await startBuild(name);
  running.kill("SIGKILL");
  await ended;
}

async function clean(...args: string[]) {
  const result = await cloud.amibake(["clean", "--settle", "1s", ...args]);
  return { ...result, lines: result.stdout.trim().split("\n") };
}

test("a killed build leaves a volume, and clean removes it; a second time there is nothing", async () => {
  const host = await readHostState();
  await killBuild("killed");
  const [volume = "", ...others] = await cloud.resources();
  assert.match(volume, /^vol-/);
  assert.deepEqual(others, []);

  const dryRun = await clean("--dry-run");
  assert.match(dryRun.stdout, new RegExp(`would remove volume ${volume}`));
  assert.match(dryRun.stdout, /would remove attachment .*\n[\s\S]*Would remove \d things\./);
  assert.deepEqual(await cloud.resources(), [volume]);

  const done = await clean();
  assert.equal(done.exitCode, 0, done.stderr);
  assert.match(done.stdout, new RegExp(`removed attachment ${volume} as /dev/`));
  assert.match(done.stdout, new RegExp(`removed volume ${volume}`));
  assert.match(done.stdout, /removed directory /);
  assert.deepEqual(await cloud.resources(), []);
  assert.deepEqual(await journals(), []);
  assert.deepEqual(
    [...(await readHostState())].filter((line) => line.includes(cloud.scratch)),
    [...host].filter((line) => line.includes(cloud.scratch)),
  );

  const again = await clean();
  assert.deepEqual([again.exitCode, again.stdout], [0, "There is nothing to clean up.\n"]);
});

test("a build says that there is something to clean up, and is not touched by cleaning while it runs", async () => {
  await killBuild("killed");
  const { ended, open } = await startBuild("survivor");
  const [byJournal, byTag] = await Promise.all([clean("--json"), clean("--by-tag", "--older-than", "0s")]);
  assert.match(byJournal.stdout, /"state":"running"/);
  assert.match(
    byTag.stdout,
    /volume vol-\w+ \(in-use\), begun .* ago, build=\S+ host=\S+ start=\S+: its build is running/,
  );
  await open();
  const result = await ended;
  assert.equal(result.exitCode, 0, result.stderr);
  assert.match(
    result.stdout + result.stderr,
    /An earlier build has left something behind, killed or .*: sudo amibake clean/,
  );
  assert.equal((await cloud.resources()).length, 2);
  assert.match((await clean()).stdout, /nothing to clean up/);
});

test("what a lost journal knew of is found by its tag: listed, and removed once it is old enough; nothing else is", async () => {
  const before = await cloud.resources();
  const AvailabilityZone = `${cloud.environment["AWS_REGION"]}a`;
  const make = async (tag: string | undefined) => {
    const volume = await cloud.ec2.send(new CreateVolumeCommand({ AvailabilityZone, Size: 1 }));
    const VolumeId = volume.VolumeId ?? "";
    await new Promise((resolve) => setTimeout(resolve, 300));
    const snapshot = await cloud.ec2.send(new CreateSnapshotCommand({ VolumeId }));
    const Resources = [VolumeId, snapshot.SnapshotId ?? ""];
    const Tags = [{ Key: "amibake:draft", Value: tag ?? "" }];
    if (tag !== undefined) await cloud.ec2.send(new CreateTagsCommand({ Resources, Tags }));
    return Resources;
  };
  const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const old = await make(`build=b-1 host=gone start=${hoursAgo(25)}`);
  const young = await make(`build=b-2 host=gone start=${hoursAgo(23)}`);
  const strange = await make("something else");
  const untagged = await make(undefined);

  const attached = await make(`build=b-3 host=gone start=${hoursAgo(25)}`);
  const [VolumeId = ""] = attached;
  const [InstanceId = ""] = await instanceIds();
  await cloud.ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdz" }));

  const listed = await clean("--by-tag");
  for (const id of [...old, ...young, ...strange]) assert.match(listed.stdout, new RegExp(id));
  for (const id of untagged) assert.doesNotMatch(listed.stdout, new RegExp(id));
  assert.match(listed.stdout, /Nothing was removed\..*clean --by-tag --older-than 24h/);

  // From a host that is no instance, the attached one may be of a build that works where it is attached.
  const env = { AWS_EC2_METADATA_DISABLED: "true" };
  const elsewhere = await cloud.amibake(["clean", "--by-tag", "--older-than", "--dry-run"], { env });
  assert.match(elsewhere.stdout, new RegExp(`its build may be at work, as ${VolumeId} is attached to ${InstanceId}`));
  assert.match(elsewhere.stdout, /Would remove 2 things\. 1 build was left alone\./);

  const removed = await clean("--by-tag", "--older-than");
  assert.equal(removed.exitCode, 0, removed.stderr);
  assert.deepEqual(new Set(await cloud.resources()), new Set([...before, ...young, ...strange, ...untagged]));
});

async function instanceIds(): Promise<string[]> {
  const { Reservations = [] } = await cloud.ec2.send(new DescribeInstancesCommand({}));
  return Reservations.flatMap(({ Instances = [] }) => Instances.map(({ InstanceId = "" }) => InstanceId));
}

test("with credentials of another account nothing is taken for gone", async () => {
  // Without the store's name it is an endpoint like any other.
  const template = await writeTemplate(cloud, { ami_name: "account" }, [
    { type: "shell", inline: ["echo provisioning; sleep 600"] },
  ]);
  const earlier = await cloud.resources();
  await cloud.amibake(["build", template], {
    env: { AMIBAKE_LOCAL_STORE: "" },
    onStart: (child) => void child.printed("provisioning\n").then(() => child.kill("SIGKILL")),
  });
  const [name = ""] = await journals();
  const path = join(cloud.scratch, "state/builds", name);
  const text = await readFile(path, "utf8");
  await writeFile(path, text.replace(/"accountId":"\d+"/, '"accountId":"111111111111"'));
  const refused = await clean();
  assert.equal(refused.exitCode, 3);
  assert.match(refused.stdout, /Cannot clean up in account 111111111111 with credentials of account \d{12}/);
  assert.equal((await cloud.resources()).length, earlier.length + 1);
  await writeFile(path, text);
  assert.equal((await clean()).exitCode, 0);
  assert.deepEqual(await cloud.resources(), earlier);
});

test("a build on a local cloud that is not there is kept in mind, until it is forgotten", async () => {
  await using other = await startTestCloud();
  const template = await writeTemplate(other, { ami_name: "gone" }, [
    { type: "shell", inline: ["echo provisioning; sleep 600"] },
  ]);
  const killed = other.amibake(["build", template], {
    env: { AMIBAKE_STATE_DIR: join(cloud.scratch, "state") },
    onStart: (child) => void child.printed("provisioning\n").then(() => child.kill("SIGKILL")),
  });
  await killed;
  assert.equal((await journals()).length, 1);
  await other.local("stop", "--force");
  // Its store is there, but it does not run: it is started for cleaning up.
  const dryRun = await clean("--dry-run");
  assert.match(dryRun.stdout, /would remove volume vol-/);
  await other.local("reset", "--yes");
  const lost = await clean();
  assert.equal(lost.exitCode, 3);
  assert.match(lost.stdout, /Cannot find the local cloud in ".*"\n[\s\S]*amibake clean --forget BUILD/);
  const [journal = ""] = await journals();
  const id = journal.replace(".journal", "");
  assert.equal((await cloud.amibake(["clean", "--forget", id])).exitCode, 0);
  assert.deepEqual(await journals(), []);
  const again = await cloud.amibake(["clean", "--forget", id]);
  assert.equal(again.exitCode, 2);
  assert.match(again.stderr, /there is no journal of a dead build of that name/);
});

test("--by-tag starts a local cloud that does not run", async () => {
  await using other = await startTestCloud();
  await other.local("stop", "--force");
  const { exitCode, stdout, stderr } = await cloud.amibake([
    "clean",
    "--by-tag",
    "--local",
    "--store",
    other.storeDirectory,
  ]);
  assert.equal(exitCode, 0, stderr);
  assert.match(stdout, /Nothing was removed/);
});

test("cleaning up one build leaves the mounts of a kept one on the same mountpoint", async () => {
  const mount_path = join(cloud.scratch, "one");
  const templateOf = (inline: string) =>
    writeTemplate(cloud, { ami_name: "image {{uuid}}", mount_path }, [{ type: "shell", inline: [inline] }]);
  await cloud.amibake(["build", await templateOf("echo provisioning; sleep 600")], {
    onStart: (child) => void child.printed("provisioning\n").then(() => child.kill("SIGKILL")),
  });
  const killedAtMs = Date.now();
  await delay(2500);
  const kept = await cloud.amibake(["build", "-on-error=abort", await templateOf("exit 5")]);
  const wayIn = /enter it with: (.*)/.exec(kept.stderr)?.[1] ?? "false";
  await clean("--older-than", `${Math.round((Date.now() - killedAtMs) / 1000)}s`);
  const inside = await runToExit(["/bin/sh", "-c", `${wayIn} -c 'test -d /proc/self && echo mounted'`]);
  assert.equal(inside.stdout.toString(), "mounted\n");
  assert.equal((await clean()).exitCode, 0);
  assert.deepEqual(await journals(), []);
});

test("wrong usage is named", async () => {
  for (const [args, message] of [
    [["--store", "/x"], /Cannot use --store without --local/],
    [["--local"], /Cannot use --local without --by-tag/],
    [["--region", "us-east-1"], /Cannot use --region without --by-tag/],
    [["--older-than", "tomorrow"], /Cannot understand --older-than "tomorrow"/],
  ] as const) {
    const { exitCode, stderr } = await cloud.amibake(["clean", ...args]);
    assert.equal(exitCode, 2);
    assert.match(stderr, message);
  }
});
