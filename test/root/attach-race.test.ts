// On a Xen instance only its name tells whose a device is. Another local cloud on this host knows nothing of ours: when it
// makes a node under the name that we were promised, that is somebody else's disk.
import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { messageOf } from "../../src/base/errors.ts";
import type { NamedBuildEvent } from "../../src/build/build-events.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import { writeTemplate } from "../helpers/build-template.ts";
import { runBuildHere } from "../helpers/run-build.ts";
import { scaledClock } from "../helpers/scaled-clock.ts";
import { setFaults } from "../helpers/set-faults.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";

/** Builds while somebody else takes the first name that the build chooses. @returns the name, and what the build told. */
async function buildRobbed(cloud: TestCloud, builder: Readonly<Record<string, unknown>>) {
  // The node comes late enough for the other one to be first.
  await setFaults(cloud, [{ fault: "stuck-attaching", actions: ["AttachVolume"], seconds: 1, calls: [1] }]);
  const template = await writeTemplate(
    cloud,
    { ami_name: "image {{uuid}}", mount_path: join(cloud.scratch, "mnt/{{.Device}}"), ...builder },
    [{ type: "shell", inline: ["echo in the image"] }],
  );
  let stolen: string | undefined;
  let making: Promise<unknown> = Promise.resolve();
  const told: string[] = [];
  const onEvent = (event: NamedBuildEvent) => {
    told.push("text" in event ? event.text : event.type);
    const [, letter] = event.type === "step-progress" ? (/^as \/dev\/(?:sd|xvd)(\w+)$/.exec(event.text) ?? []) : [];
    if (letter === undefined || stolen !== undefined) return;
    stolen = `/dev/xvd${letter}`;
    // A number for local use, which no driver has: nobody could read it.
    making = runCommand(["mknod", stolen, "b", "240", "7"]);
  };
  try {
    const { results, leftovers } = await runBuildHere(cloud, template, { clock: scaledClock(20), onEvent });
    await making;
    assert.ok(stolen !== undefined, told.join("\n"));
    return { result: results[0], leftovers, stolen, told };
  } finally {
    await making.catch(() => {});
    if (stolen !== undefined) await rm(stolen, { force: true });
  }
}

test("a node that somebody else makes under the chosen name is not taken for the volume: another name is", async () => {
  await using cloud = await startTestCloud();
  const { result, leftovers, stolen, told } = await buildRobbed(cloud, {});
  assert.ok(result !== undefined && "artifact" in result, told.join("\n"));
  assert.deepEqual(leftovers, []);
  const lines = told.filter((text) => /^as \/dev|^The volume is|after all/.test(text));
  assert.equal(lines[0], `as ${stolen.replace("xvd", "sd")}`);
  assert.match(lines[1] ?? "", /^EC2 has not attached it after all/);
  assert.match(lines.at(-1) ?? "", /^The volume is \/dev\/xvd\w+$/);
  assert.notEqual(lines.at(-1), `The volume is ${stolen}`);
});

test("where the template fixes the name, that is a clear error, and nothing is left", async () => {
  await using cloud = await startTestCloud();
  const { result, leftovers, stolen } = await buildRobbed(cloud, { device_path: "/dev/xvdcx" });
  assert.ok(result !== undefined && "error" in result);
  assert.match(messageOf(result.error), /^Cannot go on with vol-\w+: EC2 does not have it attached as "\/dev\/xvdcx"$/);
  assert.equal(stolen, "/dev/xvdcx");
  assert.deepEqual(leftovers, []);
  assert.deepEqual(await cloud.resources(), []);
});
