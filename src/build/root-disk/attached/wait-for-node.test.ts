import assert from "node:assert/strict";
import { test } from "node:test";
import { scaledClock } from "../../../../test/helpers/scaled-clock.ts";
import type { Ec2Calls } from "../../../aws/ec2-api.ts";
import type { DeviceName, VolumeId } from "../../../base/ids.ts";
import { NEVER } from "../../../base/never.ts";
import { AttachmentLostError, waitForNode, waitUntilAttached } from "./wait-for-node.ts";

// No host has a device of this name, nor one with this serial.
const VOLUME = "vol-0000000000000dead" as VolumeId;
const NAME = "/dev/sdzz" as DeviceName;

async function failureWith(states: readonly (string | undefined)[]): Promise<{ message: string; looks: number }> {
  let looks = 0;
  const findVolume = async () => {
    const state = states[Math.min(looks++, states.length - 1)];
    return { attachments: state === undefined ? [] : [{ state }] };
  };
  const ec2 = { findVolume } as unknown as Ec2Calls;
  const waiting = waitForNode({ ec2, signal: NEVER, clock: scaledClock(500) }, VOLUME, NAME);
  const error = await waiting.then(
    () => new Error("It found a node"),
    (thrown: Error) => thrown,
  );
  return { message: error.message, looks };
}

test("waitForNode() gives up as soon as EC2 says again and again that the volume is not attached", async () => {
  const { message, looks } = await failureWith(["attaching", undefined, undefined, "attaching", undefined]);
  assert.equal(message, `Cannot go on with ${VOLUME}: EC2 does not have it attached as "${NAME}"`);
  assert.equal(looks, 7);
});

test("waitForNode() waits a minute for the node of an attached volume, and six for one that is being attached", async () => {
  const attached = await failureWith(["attached"]);
  assert.equal(attached.message, `Cannot find the block device of ${VOLUME}, attached as "${NAME}"`);
  assert.ok(attached.looks < 20, `${attached.looks} looks`);
  const attaching = await failureWith(["attaching"]);
  assert.match(
    attaching.message,
    /^Cannot wait longer than 6 min \d+ s for the block device of vol-\w+, attaching as /,
  );
});

test("waitUntilAttached() notices an attachment that EC2 has given up, and takes no volume for lost that it does not show", async () => {
  const clock = scaledClock(500);
  const waitWith = (look: (atMs: number) => { state: string }[] | undefined) => {
    const startMs = clock.now();
    const findVolume = async () => {
      const attachments = look(clock.now() - startMs);
      return attachments === undefined ? undefined : { attachments };
    };
    const ec2 = { findVolume } as unknown as Ec2Calls;
    return waitUntilAttached({ ec2, signal: NEVER, clock, polling: undefined }, VOLUME, NAME);
  };
  await waitWith((atMs) => (atMs < 60_000 ? undefined : [{ state: "attached" }]));
  await waitWith((atMs) => (atMs < 8_000 ? [] : [{ state: "attached" }]));
  await assert.rejects(
    waitWith((atMs) => (atMs < 30_000 ? [{ state: "attaching" }] : [])),
    AttachmentLostError,
  );
});
