import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
} from "@aws-sdk/client-ec2";
import { runAmibake } from "../helpers/amibake-cli.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

async function writeFaults(cloud: TestCloud, faults: readonly object[]): Promise<string> {
  const path = join(cloud.scratch, "faults.json");
  await writeFile(path, JSON.stringify({ seed: 3, faults }));
  return path;
}

test("local faults sets, shows and clears what the calls of a running local cloud meet", async () => {
  await using cloud = await startTestCloud();
  const faults = (...args: string[]) => cloud.local("faults", ...args);
  const template = await writeTemplate(cloud);
  const build = () => cloud.amibake(["build", "--local", template]);
  assert.equal((await faults()).stdout, "No faults\n");

  const path = await writeFaults(cloud, [
    { fault: "denied", action: "CreateVolume", calls: [1, 3] },
    { fault: "slow", share: 0.5, burst: 2, times: 1, seconds: 0.1 },
  ]);
  await faults(path);
  const failed = await build();
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /not authorized to perform: ec2:CreateVolume/);
  assert.deepEqual(await cloud.resources(), []);
  const { seed, rules } = JSON.parse((await faults("--json")).stdout);
  assert.equal(seed, 3);
  assert.deepEqual(rules[0], {
    rule: { fault: "denied", actions: ["CreateVolume"], calls: [1, 3] },
    callCount: 1,
    strikeCount: 1,
  });
  const shown = (await faults()).stdout.split("\n");
  assert.match(shown[0] ?? "", /^FAULT +ACTIONS +STRIKES +CALLS +STRUCK$/);
  assert.match(shown[1] ?? "", /^denied +CreateVolume +call 1, 3 +1 +1$/);
  assert.match(shown[2] ?? "", /^slow +\* +50 % of every call, 2 in a row, at most 1, for 0.1 s +\d+ +[01]$/);
  assert.match((await cloud.local("status")).stdout, /^ {2}faults +2 rules: amibake local faults$/m);

  assert.equal((await faults("--clear")).stdout, "No faults\n");
  const built = await build();
  assert.equal(built.exitCode, 0, built.stderr);
});

test("A bad fault file is refused with all its problems at once, and changes nothing", async () => {
  await using cloud = await startTestCloud();
  await cloud.local("faults", await writeFaults(cloud, [{ fault: "throttle" }]));
  const path = await writeFaults(cloud, [{ fault: "trottle", calls: 0 }, { fault: "slow" }]);
  const store = ["--store", cloud.storeDirectory];
  const refused = await runAmibake(["local", "faults", path, ...store]);
  assert.equal(refused.exitCode, 2);
  assert.match(refused.stderr, /^Error: Cannot use the fault file ".*faults.json": it has 3 problems\n/);
  assert.match(refused.stderr, /faults\.json:1:30: "fault" must be one of throttle, .*, not "trottle"\n/);
  assert.match(refused.stderr, /hint: Did you mean "throttle"\?/);
  assert.match(refused.stderr, /faults\.json:1:48: "calls" must be a whole number from 1 /);
  assert.match(refused.stderr, /faults\.json:1:51: The key "seconds" is missing/);
  const missing = await runAmibake(["local", "faults", "/nowhere.json", ...store]);
  assert.equal(missing.exitCode, 2);
  assert.match(missing.stderr, /Cannot read "\/nowhere.json": there is no such file/);
  const both = await runAmibake(["local", "faults", path, "--clear", ...store]);
  assert.equal(both.exitCode, 2);
  assert.match((await cloud.local("faults")).stdout, /^throttle +\* +every call +0 +0$/m);
  await cloud.local("faults", "--clear");
});

test("local start --faults: the first call meets them, and one that runs already is told from it", async () => {
  await using cloud = await startTestCloud();
  const path = await writeFaults(cloud, [{ fault: "throttle", action: "DescribeRegions", first: 1 }]);
  const store = ["--store", cloud.storeDirectory];
  const running = await runAmibake(["local", "start", "--faults", path, ...store]);
  assert.equal(running.exitCode, 4);
  assert.match(running.stderr, /it runs already .*, without --faults /);

  await cloud.local("stop", "--force");
  const stopped = await runAmibake(["local", "faults", ...store]);
  assert.equal(stopped.exitCode, 2);
  assert.match(stopped.stderr, /Cannot reach the local cloud of ".*": none runs/);

  await cloud.local("start", "--faults", path);
  assert.match((await cloud.local("faults")).stdout, /^throttle +DescribeRegions +the first 1 +0 +0$/m);
  await cloud.local("stop");
  const foreground = await runAmibake(["local", "start", "--foreground", "--faults", path, ...store], {
    async onStart(child) {
      await child.printed("AMIBAKE_LOCAL_STORE");
      const { stdout } = await cloud.local("faults", "--json");
      assert.equal(JSON.parse(stdout).rules.length, 1);
      child.kill("SIGINT");
    },
  });
  assert.equal(foreground.exitCode, 0, foreground.stderr);
});

test("stuck attachments: no device comes, none goes, and clearing the faults lets both go on", async () => {
  await using cloud = await startTestCloud();
  const { ec2 } = cloud;
  const { Reservations: [reservation] = [] } = await ec2.send(new DescribeInstancesCommand({}));
  const InstanceId = reservation?.Instances?.[0]?.InstanceId;
  const { VolumeId } = await ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 }));
  const taken = await readdir("/dev");
  const name = [..."nopqrs"].map((letter) => `xvdc${letter}`).find((node) => !taken.includes(node));
  const state = async () => {
    const { Volumes: [volume] = [] } = await ec2.send(new DescribeVolumesCommand({}));
    const isThere = (await readdir("/dev")).includes(name ?? "");
    return `${volume?.Attachments?.[0]?.State ?? volume?.State}, ${isThere ? "device" : "no device"}`;
  };
  const until = async (wanted: string) => {
    while ((await state()) !== wanted) await delay(20);
  };
  const faults = (...args: string[]) => cloud.local("faults", ...args);
  await faults(await writeFaults(cloud, [{ fault: "stuck-attaching" }]));
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: `/dev/${name}` }));
  assert.equal(await state(), "attaching, no device");
  await ec2.send(new DetachVolumeCommand({ VolumeId }));
  assert.equal(await state(), "available, no device");
  await ec2.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: `/dev/${name}` }));
  await faults(await writeFaults(cloud, [{ fault: "stuck-detaching" }]));
  await until("attached, device");
  await ec2.send(new DetachVolumeCommand({ VolumeId }));
  await delay(300);
  assert.equal(await state(), "busy, device");
  await faults("--clear");
  await until("available, no device");
});

test("reset-after: what took effect is there when the local cloud is killed at that moment and started again", async () => {
  await using cloud = await startTestCloud();
  await cloud.local("faults", await writeFaults(cloud, [{ fault: "reset-after", action: "CreateVolume" }]));
  const { pid } = JSON.parse((await cloud.local("status", "--json")).stdout);
  const { AWS_ENDPOINT_URL: endpoint = "" } = cloud.environment;
  const lost = cloud.ec2.send(new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 1 }));
  await assert.rejects(lost, { code: "ECONNRESET" });
  process.kill(pid, "SIGKILL");
  await cloud.local("start", "--port", new URL(endpoint).port);
  const { Volumes = [] } = await cloud.ec2.send(new DescribeVolumesCommand({}));
  // The SDK has tried again with the ClientToken that it made.
  assert.deepEqual(
    Volumes.map(({ State }) => State),
    ["available"],
  );
});
