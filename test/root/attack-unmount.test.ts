// What holds a file system when it has to be unmounted: amibake itself, and others on the host.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DeleteVolumeCommand, DescribeVolumesCommand, DetachVolumeCommand } from "@aws-sdk/client-ec2";
import { flattenFailure, messageOf } from "../../src/base/errors.ts";
import type { NamedBuildEvent } from "../../src/build/build-events.ts";
import type { BuildSummary } from "../../src/build/run-builds.ts";
import { exitCodeOfSummary } from "../../src/cli/exit-codes.ts";
import { script } from "../helpers/attack-image.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { runBuildHere } from "../helpers/run-build.ts";
import { scaledClock } from "../helpers/scaled-clock.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

const never = new AbortController().signal;
const failureOf = ({ results }: BuildSummary): string => {
  const [result] = results;
  if (result === undefined || "artifact" in result) return "";
  const { primary, cleanup } = flattenFailure(result.error);
  return [primary, ...cleanup].map(messageOf).join("\n");
};

const isUnmounting = (event: NamedBuildEvent, type: "step-started" | "step-failed"): boolean =>
  event.type === type && event.title.startsWith("Unmounting");

/** Runs a build whose image `hold` takes hold of while its script runs. */
async function buildHeld(
  name: string,
  hold: (root: string) => Promise<void>,
  { speed = 1, onEvent = () => {} }: { speed?: number; onEvent?: (event: NamedBuildEvent) => void } = {},
): Promise<BuildSummary> {
  const mount_path = join(cloud.scratch, name);
  const template = await writeTemplate(cloud, { ami_name: name, mount_path }, [script("echo ready; sleep 1.5")]);
  let held: Promise<void> | undefined;
  const summary = await runBuildHere(cloud, template, {
    clock: scaledClock(speed),
    onEvent: (event) => {
      if (event.type === "output") held = rootSeenFromHere(mount_path).then(hold);
      onEvent(event);
    },
  });
  assert.ok(held !== undefined, failureOf(summary));
  await held;
  return summary;
}

/** The image's root, through a process in the build's mount namespace. */
async function rootSeenFromHere(mountPath: string): Promise<string> {
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const table = await readFile(`/proc/${pid}/mountinfo`, "utf8").catch(() => "");
    if (table.includes(` ${mountPath} `)) return `/proc/${pid}/root${mountPath}`;
  }
  throw new Error(`Nobody has "${mountPath}" mounted`);
}

async function startHolder(root: string): Promise<ChildProcess> {
  // Its working directory is in the image.
  const child = spawn("sleep", ["306"], { cwd: join(root, "etc"), stdio: "ignore" });
  await once(child, "spawn");
  return child;
}

test("a handle that amibake itself has open is named, and the build goes on once it is closed", async () => {
  let handle: FileHandle | undefined;
  const held = await buildHeld(
    "handle-closed",
    async (root) => {
      handle = await open(join(root, "etc/hostname"), "r");
    },
    {
      onEvent: (event) => {
        // During the retries of the unmount.
        if (isUnmounting(event, "step-started")) void delay(500).then(() => handle?.close());
      },
    },
  );
  assert.equal(failureOf(held), "");
  assert.deepEqual(held.leftovers, []);
});

test("an unmount that stays busy names every holder and fails the build; the volume goes when they have", async () => {
  const earlier = await cloud.resources();
  let fd = -1;
  let holder: ChildProcess | undefined;
  let handle: FileHandle | undefined;
  const summary = await buildHeld(
    "busy",
    async (root) => {
      handle = await open(join(root, "etc/hostname"), "r");
      fd = handle.fd;
      holder = await startHolder(root);
    },
    {
      onEvent: (event) => {
        if (!isUnmounting(event, "step-failed")) return;
        void handle?.close();
        holder?.kill();
      },
    },
  );
  const failure = failureOf(summary);
  assert.match(failure, /^Cannot unmount "[^"]+busy"; in use by /);
  assert.match(failure, new RegExp(`process ${process.pid} \\(.*\\): fd/${fd}`));
  assert.match(failure, new RegExp(`process ${holder?.pid} \\(sleep 306\\): cwd`));
  assert.deepEqual(summary.leftovers, []);
  assert.equal(exitCodeOfSummary(summary, never), 1);
  assert.deepEqual(await cloud.resources(), earlier);
});

test("a volume that cannot be detached because somebody holds it is named as left, and the exit code is 3", async () => {
  const earlier = new Set(await cloud.resources());
  let holder: ChildProcess | undefined;
  const summary = await buildHeld(
    "held",
    async (root) => {
      holder = await startHolder(root);
    },
    // The ten minutes for a detachment pass in six seconds.
    { speed: 100 },
  );
  assert.match(failureOf(summary), /^Cannot unmount "[^"]+held"; in use by .*\(sleep 306\): cwd/);
  const left = (await cloud.resources()).filter((id) => !earlier.has(id));
  assert.equal(left.length, 1);
  const [volumeId = ""] = left;
  assert.deepEqual([...new Set(summary.leftovers.map(({ id }) => id))], [volumeId]);
  assert.equal(exitCodeOfSummary(summary, never), 3);

  const exited = once(holder as ChildProcess, "exit");
  holder?.kill();
  await exited;
  // By hand, as the message says.
  await cloud.ec2.send(new DetachVolumeCommand({ VolumeId: volumeId })).catch(() => {});
  await untilAvailable(volumeId);
  await cloud.ec2.send(new DeleteVolumeCommand({ VolumeId: volumeId }));
});

async function untilAvailable(volumeId: string): Promise<void> {
  for (let looks = 0; looks < 200; looks++) {
    const { Volumes } = await cloud.ec2.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
    if (Volumes?.[0]?.State === "available") return;
    await delay(50);
  }
}

test("transfers that fail leave no handle open in the image", async () => {
  const local = join(cloud.scratch, "large");
  await writeFile(local, Buffer.alloc(60 * 1024 ** 2, 1));
  const template = await writeTemplate(cloud, { ami_name: "full" }, [
    { type: "file", source: local, destination: "/opt/large" },
  ]);
  const start = performance.now();
  let unmountMs = Number.POSITIVE_INFINITY;
  const summary = await runBuildHere(cloud, template, {
    onEvent: (event) => {
      if (event.type === "step-finished" && event.title.startsWith("Unmounting")) unmountMs = event.elapsedMs;
    },
  });
  assert.match(failureOf(summary), /Cannot provision/);
  // Without one of the retries that a busy file system gets.
  assert.ok(unmountMs < 5000, `${unmountMs} of ${performance.now() - start} ms`);
  assert.deepEqual(summary.leftovers, []);
});
