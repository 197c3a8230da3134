// What amazon-direct builds leave, share and copy.
import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  CopySnapshotCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  EC2Client,
  ModifyImageAttributeCommand,
  ModifySnapshotAttributeCommand,
  RegisterImageCommand,
  waitUntilImageAvailable,
  waitUntilSnapshotCompleted,
} from "@aws-sdk/client-ec2";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { MIB } from "../../src/base/units.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { askCloud, HOST_ARCHITECTURE } from "../helpers/ask-cloud.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { orphanedOverlays, overlayDevice, processesIn } from "../helpers/build-traces.ts";
import { buildAtOnce } from "../helpers/builds-at-once.ts";
import { setFaults } from "../helpers/set-faults.ts";
import { fillDirectory, smallFileSystem } from "../helpers/small-file-system.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";
import { untilGone } from "../helpers/until-gone.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(async () => {
  // What a test that failed has kept would outlive the cloud.
  await cloud.amibake(["clean", "--settle", "1s"]);
  await cloud[Symbol.asyncDispose]();
});

const shell = (...inline: string[]) => ({ type: "shell", inline });

/** Each with a cache of its own. */
const cacheOf = (name: string) => join(cloud.scratch, `cache-${name}`);

function templateOf(provisioners: readonly object[], builder = {}): Promise<string> {
  const mount_path = join(cloud.scratch, "mnt/{{.Device}}");
  const more = { type: "amazon-direct", ami_name: "image {{uuid}}", mount_path, ...builder };
  return writeTemplate(cloud, more, provisioners as []);
}

test("abort keeps the disk with what is below it, also for what nobody has read yet; clean takes all of it", async () => {
  const env = { AMIBAKE_CACHE_DIR: cacheOf("kept") };
  const template = await templateOf([shell("echo broken >/root/evidence; exit 5")]);
  const { exitCode, stdout, stderr } = await cloud.amibake(["build", "-on-error=abort", template], { env });
  assert.equal(exitCode, 3, stdout + stderr);
  const [snapshot = "", ...others] = await cloud.resources();
  assert.deepEqual(others, []);
  assert.match(stderr, /Left behind:\n {2}mount .*: kept .*\n {4}enter it with: .*nsenter/);
  assert.match(stderr, new RegExp(`  snapshot ${snapshot}: kept .*\n {4}remove it with: .*amibake clean`));
  const [, devicePath = ""] = /The disk is (.*)/.exec(stdout) ?? [];
  const device = await overlayDevice(devicePath);
  assert.ok(device, stdout);
  assert.deepEqual(await orphanedOverlays(), []);
  const [journal = ""] = await readdir(join(cloud.scratch, "state/builds"));
  assert.match(journal, /\.journal$/);

  const [, wayIn = ""] = /enter it with: (.*)/.exec(stderr) ?? [];
  const enter = async (script: string) =>
    (
      await runCommand(["/bin/sh", "-c", `${wayIn} -c '${script}'`], { signal: AbortSignal.timeout(30_000) })
    ).stdout.toString();
  assert.equal(await enter("cat /root/evidence"), "broken\n");
  // Most of it has never been read: it comes from EBS now.
  const readAll = "find / -xdev -type f -exec cat {} + >/dev/null && echo read";
  assert.equal(await enter(readAll), "read\n");

  const cleaned = await cloud.amibake(["clean", "--settle", "1s"]);
  assert.equal(cleaned.exitCode, 0, cleaned.stdout + cleaned.stderr);
  assert.match(
    cleaned.stdout,
    new RegExp(`removed mount [\\s\\S]*removed overlay [\\s\\S]*removed snapshot ${snapshot}`),
  );
  assert.notEqual(await overlayDevice(devicePath), device);
  assert.deepEqual(await cloud.resources(), []);
  await untilGone(() => processesIn(cacheOf("kept")));
  const again = await cloud.amibake(["clean"]);
  assert.match(again.stdout, /nothing to clean up/);
});

test("a build that is killed in mid-upload leaves a pending snapshot to clean; the next build does not need that", async () => {
  const earlier = await cloud.resources();
  const env = { AMIBAKE_CACHE_DIR: cacheOf("killed") };
  const template = await templateOf([shell("head -c 8000000 /dev/urandom >/root/changed")]);
  const slowPuts = [
    { fault: "slow", actions: ["PutSnapshotBlock"], calls: Array.from({ length: 90 }, (_, n) => n + 8), seconds: 20 },
  ] as const;
  await setFaults(cloud, slowPuts);
  const killed = await cloud.amibake(["build", "-color=false", template], {
    env,
    ownGroup: true,
    onStart: (child) =>
      void child
        .printed("Uploading what changed")
        .then(() => callsOf("PutSnapshotBlock", 12))
        .then(() => child.kill("SIGKILL")),
  });
  assert.equal(killed.signal, "SIGKILL", killed.stdout + killed.stderr);
  await setFaults(cloud, []);
  const [pending = "", ...others] = (await cloud.resources()).filter((id) => !earlier.includes(id));
  assert.deepEqual(others, []);
  const { Snapshots = [] } = await cloud.ec2.send(new DescribeSnapshotsCommand({ SnapshotIds: [pending] }));
  assert.equal(Snapshots[0]?.State, "pending");
  await untilGone(async () => [...(await processesIn(cacheOf("killed"))), ...(await orphanedOverlays())]);

  const next = await cloud.amibake(["build", "-color=false", template], { env });
  assert.equal(next.exitCode, 0, next.stdout + next.stderr);
  assert.match(next.stdout + next.stderr, /amibake clean/, "it says that there is something to clean up");
  assert.doesNotMatch(next.stdout, new RegExp(pending));
  const cleaned = await cloud.amibake(["clean", "--settle", "1s"]);
  assert.deepEqual(cleaned.stdout.match(/removed (snapshot|image) \S+/g), [`removed snapshot ${pending}`]);
  assert.match((await cloud.amibake(["clean"])).stdout, /nothing to clean up/);
  const made = (await cloud.resources()).filter((id) => !earlier.includes(id));
  assert.deepEqual(made.map((id) => id.replace(/-.*/, "")).sort(), ["ami", "snap"], "the next build's stay");
});

test("a disk for changes that was full for a while makes no image, though nobody in the image has seen it", async () => {
  const earlier = await cloud.resources();
  await using small = await smallFileSystem(join(cloud.scratch, "changes"), "40m");
  await fillDirectory(small.path, { leaveBytes: 8 * MIB });
  // Behind all partitions: it is no part of a file system that amibake could ask.
  const write = "dd if=/dev/urandom of={{build `Device`}} bs=1M seek=900 count=16; sync; echo written";
  const builder = { root_volume_size: 1, overlay_directory: small.path, suppress_sync: false };
  const template = await templateOf([shell(write, "sleep 3")], builder);
  const { exitCode, stdout, stderr } = await cloud.amibake(["build", "-color=false", template], {
    env: { AMIBAKE_CACHE_DIR: cacheOf("full") },
    onStart: (child) => void child.printed("written\n").then(() => rm(join(small.path, "filler"))),
  });
  assert.equal(exitCode, 4, stdout + stderr);
  const reason = `Cannot keep what the build writes in "${small.path}": No space left on device`;
  assert.ok(stdout.includes(`Warning: ${reason}`), stdout);
  assert.ok(stderr.includes(`${reason}\n`), stderr);
  assert.match(stderr, /hint: Make room there, or set overlay_directory/);
  assert.deepEqual(await cloud.resources(), earlier);
});

/** Resolves when the cloud has had so many calls that the first rule of its faults is about. */
async function callsOf(action: string, count: number): Promise<void> {
  for (;;) {
    const { rules } = await askCloud(cloud.storeDirectory, "faults", {});
    assert.deepEqual(rules[0]?.rule.actions, [action]);
    if (rules[0].callCount >= count) return;
    await delay(20);
  }
}

test("a build that could not read a block fails for that reason, whatever its provisioners made of it", async () => {
  const earlier = await cloud.resources();
  const tolerant = shell("find / -xdev -type f -exec cat {} + >/dev/null 2>&1; true");
  const intolerant = shell("find / -xdev -type f -exec cat {} + >/dev/null");
  for (const provisioner of [tolerant, intolerant]) {
    await setFaults(cloud, [{ fault: "denied", actions: ["GetSnapshotBlock"], from: 9 }]);
    const { exitCode, stdout, stderr } = await cloud.amibake(
      ["build", "-color=false", await templateOf([provisioner])],
      {
        env: { AMIBAKE_CACHE_DIR: cacheOf(provisioner === tolerant ? "tolerant" : "intolerant") },
      },
    );
    const [rule] = (await setFaults(cloud, [])).rules;
    assert.ok((rule?.strikeCount ?? 0) > 0, "all of it was read before");
    assert.equal(exitCode, 1, stdout + stderr);
    assert.match(stderr, /Error: Cannot GetSnapshotBlock block \d+ of snap-\w+: AccessDeniedException/);
    assert.doesNotMatch(stdout, /blocks \(.*\), .* are as they were/, "nothing is uploaded");
    assert.deepEqual(await cloud.resources(), earlier);
  }
});

test("builds at once on one base fetch each of its blocks once, in one process or in several", async () => {
  const { failures, fetchCount, blockCount, allocatedCount } = await buildAtOnce(cloud, {
    processCount: 2,
    buildsEach: 3,
    inline: ["find / -xdev -type f -exec cat {} + >/dev/null"],
  });
  assert.deepEqual(failures, []);
  assert.ok(blockCount > allocatedCount / 2, `only ${blockCount} of ${allocatedCount} blocks were read`);
  assert.equal(fetchCount, blockCount);
});

/** The environment of a role in another account. */
async function otherAccount(accountId: string): Promise<Record<string, string>> {
  const { environment } = cloud;
  using sts = disposable(new STSClient(clientOptions(environment)));
  const RoleArn = `arn:aws:iam::${accountId}:role/tester`;
  const { Credentials: given } = await sts.client.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: "test" }));
  return {
    AWS_ACCESS_KEY_ID: given?.AccessKeyId ?? "",
    AWS_SECRET_ACCESS_KEY: given?.SecretAccessKey ?? "",
    AWS_SESSION_TOKEN: given?.SessionToken ?? "",
    // As AWS is known: by its endpoint and the credentials.
    AMIBAKE_LOCAL_STORE: "",
    AMIBAKE_CACHE_DIR: cacheOf(accountId),
  };
}

const clientOptions = (environment: Readonly<Record<string, string>>) => ({
  region: environment["AWS_REGION"] ?? "",
  endpoint: environment["AWS_ENDPOINT_URL"] ?? "",
  credentials: {
    accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
    secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    ...(environment["AWS_SESSION_TOKEN"] && { sessionToken: environment["AWS_SESSION_TOKEN"] }),
  },
});

function disposable<Client extends { destroy(): void }>(client: Client): { readonly client: Client } & Disposable {
  return { client, [Symbol.dispose]: () => client.destroy() };
}

type Grantee = { readonly Group: "all" } | { readonly UserId: string };

/** Lets others launch an image and read its snapshots. */
async function shareImage(ImageId: string, grantee: Grantee): Promise<void> {
  await cloud.ec2.send(new ModifyImageAttributeCommand({ ImageId, LaunchPermission: { Add: [grantee] } }));
  const CreateVolumePermission = { Add: [grantee] };
  for (const SnapshotId of await snapshotsOf(cloud.ec2, ImageId)) {
    await cloud.ec2.send(new ModifySnapshotAttributeCommand({ SnapshotId, CreateVolumePermission }));
  }
}

/** The same for the base image, whose snapshot is returned. */
async function shareBase(grantee: Grantee): Promise<string> {
  await shareImage(cloud.baseImageId, grantee);
  const [snapshotId = ""] = await snapshotsOf(cloud.ec2, cloud.baseImageId);
  return snapshotId;
}

async function snapshotsOf(ec2: EC2Client, imageId: string): Promise<string[]> {
  const { Images = [] } = await ec2.send(new DescribeImagesCommand({ ImageIds: [imageId] }));
  return (Images[0]?.BlockDeviceMappings ?? []).flatMap(({ Ebs }) => Ebs?.SnapshotId ?? []);
}

/** An image of one snapshot for each volume. */
async function registerImage(ec2: EC2Client, Name: string, snapshotIds: readonly string[]): Promise<string> {
  const { ImageId = "" } = await ec2.send(
    new RegisterImageCommand({
      ...{ Name, Architecture: HOST_ARCHITECTURE, VirtualizationType: "hvm", RootDeviceName: "/dev/xvda" },
      BlockDeviceMappings: snapshotIds.map((SnapshotId, index) => ({
        DeviceName: `/dev/xvd${"abc"[index]}`,
        Ebs: { SnapshotId },
      })),
    }),
  );
  await waitUntilImageAvailable({ client: ec2, maxWaitTime: 60 }, { ImageIds: [ImageId] });
  return ImageId;
}

test("a public base is copied into the account once, also for builds at the same time, and told; later it is found", async () => {
  await shareBase({ Group: "all" });
  const env = await otherAccount("111122223333");
  await setFaults(cloud, [{ fault: "slow", actions: ["CopyImage"], seconds: 0 }]);
  const template = await templateOf([shell("echo mine >/etc/whose")]);
  const [first, second] = await Promise.all(
    [1, 2].map(() => cloud.amibake(["build", "-color=false", template], { env })),
  );
  const told = (first?.stdout ?? "") + second?.stdout;
  assert.deepEqual([first?.exitCode, second?.exitCode], [0, 0], told + first?.stderr + second?.stderr);
  assert.match(
    told,
    new RegExp(`${cloud.baseImageId} is copied into this account, once: .*public.*costs up to \\$0\\.05 a month`),
  );

  using ec2 = disposable(new EC2Client(clientOptions({ ...cloud.environment, ...env })));
  const Filters = [{ Name: "tag:amibake:copy-of", Values: [cloud.baseImageId] }];
  const copies = async () =>
    (await ec2.client.send(new DescribeImagesCommand({ Owners: ["self"], Filters }))).Images ?? [];
  const [copy, ...more] = await copies();
  assert.ok(copy?.ImageId);
  assert.deepEqual(more, []);

  const before = (await setFaults(cloud, [{ fault: "slow", actions: ["CopyImage"], seconds: 0 }])).rules[0]?.callCount;
  assert.ok(before === 1 || before === 2, `${before} calls, of which one can succeed`);
  const again = await cloud.amibake(["build", "-color=false", template], { env });
  assert.equal(again.exitCode, 0, again.stdout + again.stderr);
  assert.match(again.stdout, new RegExp(`Using the copy of ${cloud.baseImageId} in this account`));
  assert.match(again.stdout, new RegExp(`${copy.ImageId} is the copy`));
  assert.doesNotMatch(again.stdout, /is copied into this account/);
  assert.equal((await setFaults(cloud, [])).rules[0]?.callCount, 0);
  assert.equal((await copies()).length, 1);
  assert.deepEqual((await cloud.amibake(["clean", "--dry-run"])).stdout.match(/would remove .*/g), null);
});

test("a base that was shared by name is copied too where EBS refuses it as a parent, and nothing half-made stays", async () => {
  await shareBase({ UserId: "444455556666" });
  const env = await otherAccount("444455556666");
  const template = await templateOf([shell("echo mine >/etc/whose")]);
  const { exitCode, stdout, stderr } = await cloud.amibake(["build", "-color=false", template], { env });
  assert.equal(exitCode, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`${cloud.baseImageId} is copied into this account, once: `));
  using ec2 = disposable(new EC2Client(clientOptions({ ...cloud.environment, ...env })));
  const { Snapshots = [] } = await ec2.client.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
  assert.deepEqual(
    Snapshots.map(({ State }) => State),
    ["completed", "completed"],
    "the copy's and the image's",
  );
});

test("an image that is built on a copy names none of the original owner's snapshots, and all that are copied are in the price", async () => {
  const [root = ""] = await snapshotsOf(cloud.ec2, cloud.baseImageId);
  const copying = new CopySnapshotCommand({ SourceSnapshotId: root, SourceRegion: "us-east-1" });
  const { SnapshotId: data = "" } = await cloud.ec2.send(copying);
  await waitUntilSnapshotCompleted({ client: cloud.ec2, maxWaitTime: 60 }, { SnapshotIds: [data] });
  const source_ami = await registerImage(cloud.ec2, "with data", [root, data]);
  await shareImage(source_ami, { UserId: "222233334444" });

  const env = await otherAccount("222233334444");
  const template = await templateOf([shell("echo mine >/etc/whose")], { source_ami });
  const { exitCode, stdout, stderr } = await cloud.amibake(["build", "-color=false", template], { env });
  assert.equal(exitCode, 0, stdout + stderr);
  assert.match(stdout, /its 2 snapshots cost up to \$0\.10 a month/);
  const [, copyId = ""] = /(ami-\w+) is the copy/.exec(stdout) ?? [];
  const [, imageId = ""] = /us-east-1: (ami-\w+)/.exec(stdout) ?? [];
  using ec2 = disposable(new EC2Client(clientOptions({ ...cloud.environment, ...env })));
  const [copiedRoot, copiedData] = await snapshotsOf(ec2.client, copyId);
  const [builtRoot, builtData] = await snapshotsOf(ec2.client, imageId);
  assert.equal(builtData, copiedData);
  assert.equal(new Set([root, data, copiedRoot, copiedData, builtRoot]).size, 5);
});

test("a copy that fails ends the build that made it and those that find it, until it is deregistered", async () => {
  await shareBase({ Group: "all" });
  const env = await otherAccount("888899990000");
  using ec2 = disposable(new EC2Client(clientOptions({ ...cloud.environment, ...env })));
  const template = await templateOf([shell("echo mine >/etc/whose")]);
  await setFaults(cloud, [{ fault: "image-failed", actions: ["CopyImage"], calls: [1], message: "out of luck" }]);
  const failed = await cloud.amibake(["build", "-color=false", template], { env });
  const { Images: [copy] = [] } = await ec2.client.send(new DescribeImagesCommand({ Owners: ["self"] }));
  const next = await cloud.amibake(["build", "-color=false", template], { env });
  await setFaults(cloud, []);
  for (const { exitCode, stdout, stderr } of [failed, next]) {
    assert.equal(exitCode, 1, stdout + stderr);
    assert.match(stderr, new RegExp(`Cannot use image "${copy?.ImageId}".* its state is failed: out of luck`));
    assert.match(stderr, new RegExp(`aws ec2 deregister-image --image-id ${copy?.ImageId}`));
  }
  await ec2.client.send(new DeregisterImageCommand({ ImageId: copy?.ImageId }));
  const last = await cloud.amibake(["build", "-color=false", template], { env });
  assert.equal(last.exitCode, 0, last.stdout + last.stderr);
});

test("an own image of somebody else's shared snapshot is copied too, and that is told once", async () => {
  const SnapshotId = await shareBase({ UserId: "777788889999" });
  const env = await otherAccount("777788889999");
  using ec2 = disposable(new EC2Client(clientOptions({ ...cloud.environment, ...env })));
  const source_ami = await registerImage(ec2.client, "mine", [SnapshotId]);
  const template = await templateOf([shell("echo mine >/etc/whose")], { source_ami });
  const { exitCode, stdout, stderr } = await cloud.amibake(["build", "-color=false", template], { env });
  assert.equal(exitCode, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`${source_ami} is copied into this account, once: `));
  const again = await cloud.amibake(["build", "-color=false", template], { env });
  assert.equal(again.exitCode, 0, again.stdout + again.stderr);
  assert.match(again.stdout, new RegExp(`Using the copy of ${source_ami} in this account`));
  assert.doesNotMatch(again.stdout, /is copied into this account/);
});

test("what a policy does not allow is no reason to copy: the build fails with the hint, and nothing stays", async () => {
  await shareBase({ Group: "all" });
  await shareBase({ UserId: "555566667777" });
  const template = await templateOf([shell("echo mine >/etc/whose")]);
  for (const [accountId, action] of [
    ["555566667777", "ListSnapshotBlocks"],
    ["555566667777", "StartSnapshot"],
    // It cannot read the blocks of a public snapshot either.
    ["666677778888", "StartSnapshot"],
  ] as const) {
    const env = await otherAccount(accountId);
    await setFaults(cloud, [{ fault: "denied", actions: [action] }]);
    const { exitCode, stdout, stderr } = await cloud.amibake(["build", "-color=false", template], { env });
    await setFaults(cloud, []);
    assert.equal(exitCode, 1, stdout + stderr);
    assert.match(stderr, new RegExp(`Cannot ${action}.* is not authorized to perform: ebs:${action}`));
    assert.match(stderr, /Allow ebs:StartSnapshot, .* in the policy/);
    assert.doesNotMatch(stdout, /is copied into this account/);
    using ec2 = disposable(new EC2Client(clientOptions({ ...cloud.environment, ...env })));
    const { Snapshots } = await ec2.client.send(new DescribeSnapshotsCommand({ OwnerIds: ["self"] }));
    assert.deepEqual(Snapshots, []);
  }
});

test("an endpoint that only the configuration file names is where blocks are read from, too", async () => {
  const configFile = join(cloud.scratch, "aws-config");
  await writeFile(configFile, `[default]\nendpoint_url = ${cloud.environment["AWS_ENDPOINT_URL"]}\n`);
  const env = { AWS_ENDPOINT_URL: "", AWS_CONFIG_FILE: configFile, AMIBAKE_CACHE_DIR: cacheOf("configured") };
  const template = await templateOf([shell("cat /etc/passwd")]);
  const { exitCode, stdout, stderr } = await cloud.amibake(["build", template], { env });
  assert.equal(exitCode, 0, stdout + stderr);
  assert.match(stdout, /Fetched [1-9]/);
});
