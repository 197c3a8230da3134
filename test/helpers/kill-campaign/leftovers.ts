// That nothing is left of what a killed daemon had begun.
import assert from "node:assert/strict";
import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { SNAPSHOT_BLOCK_BYTES } from "../../../src/base/units.ts";
import { ZERO_BLOCK_HASH } from "../../../src/base/zero-block.ts";
import { listLoopDevices } from "../../../src/linux/devices/loop-device.ts";
import { runCommand } from "../../../src/linux/run-command.ts";
import type { Outcome } from "./attempt.ts";
import { CONTENT_BLOCKS, contentOfFile, idsOf, type View } from "./view.ts";

export interface Places {
  readonly storeDirectory: string;
  readonly exportDirectory: string;
  /** Device names that are ours. */
  readonly devices: readonly string[];
}

/** The files of a store that holds what the view tells, and nothing else. */
export async function assertNoLeftovers(storeDirectory: string, view: View): Promise<void> {
  const names = async (directory: string) => (await readdir(join(storeDirectory, directory))).toSorted();
  const volumeIds = idsOf(view, "volume");
  const attached = volumeIds.filter((id) => view[id]?.["device"] !== undefined);
  const bases = volumeIds.filter((id) => view[id]?.["source"] !== undefined).map((id) => `${id}.base`);
  assert.deepEqual(await names("volumes"), [...volumeIds.map((id) => `${id}.disk`), ...bases].toSorted());
  const manifests = idsOf(view, "snapshot").map((id) => `${id}.manifest`);
  const uploads = idsOf(view, "upload").map((id) => `${id}.pending`);
  assert.deepEqual(await names("snapshots"), [...manifests, ...uploads].toSorted());
  assert.deepEqual(await names("attachments"), attached.map((id) => `${id}.json`).toSorted());
  assert.deepEqual(await names("scratch"), []);
  const contents = [
    ...idsOf(view, "snapshot").map((id) => view[id]?.["content"]),
    ...idsOf(view, "upload").flatMap((id) => [view[id]?.["base"], view[id]?.["puts"]]),
  ];
  const hashes = contents.flatMap((content) => String(content).match(/[0-9a-f]{64}/g) ?? []);
  const used = hashes.filter((hash) => hash !== ZERO_BLOCK_HASH);
  const kept = await readdir(join(storeDirectory, "blocks"), { recursive: true });
  const files = kept.filter((name) => name.includes("/")).map((name) => name.replace("/", ""));
  assert.deepEqual(files.toSorted(), [...new Set(used)].toSorted(), "blocks");
  for (const id of volumeIds) {
    const { blocks } = await stat(join(storeDirectory, "volumes", `${id}.disk`));
    assert.ok(blocks * 512 <= (CONTENT_BLOCKS + 1) * SNAPSHOT_BLOCK_BYTES, `${id} has content at its end`);
  }
}

/** Loop devices and nodes are those of the attached volumes. What a killed process had mounted may take a moment. */
export async function assertDevices({ storeDirectory, devices }: Places, view: View): Promise<void> {
  const attached = idsOf(view, "volume").flatMap((id) => (view[id]?.["device"] as string | undefined) ?? []);
  const look = async () => {
    const loops = await listLoopDevices();
    const ours = loops.filter(({ backingFile }) => backingFile.startsWith(storeDirectory));
    const nodes = (await readdir("/dev")).map((name) => `/dev/${name}`);
    return { loops: ours.length, nodes: nodes.filter((path) => devices.includes(path)).toSorted() };
  };
  const expected = { loops: attached.length, nodes: attached.toSorted() };
  for (let tries = 0; tries < 50 && !isDeepStrictEqual(await look(), expected); tries++) await delay(100);
  assert.deepEqual(await look(), expected);
  for (const path of attached) assert.ok((await stat(path)).isBlockDevice(), path);
}

/** An export is there and whole, or not there at all. @returns how many are there that were not answered. */
export async function assertExports(
  { exportDirectory }: Places,
  view: View,
  outcomes: readonly Outcome[],
): Promise<number> {
  let doneCount = 0;
  await mkdir(exportDirectory, { recursive: true });
  for (const { attempt, answer } of outcomes) {
    if (attempt.exported === undefined) continue;
    const { path, imageId } = attempt.exported;
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    assert.ok(isThere || answer === undefined, "an export that was answered is gone");
    if (!isThere) continue;
    if (answer === undefined) doneCount += 1;
    const raw = `${path}.raw`;
    await runCommand(["qemu-img", "convert", "-O", "raw", path, raw]);
    const snapshot = String(view[imageId]?.["snapshot"]);
    const blocks = String(view[snapshot]?.["content"]).split(" ");
    const compared = blocks.filter((block) => Number.parseInt(block, 10) < CONTENT_BLOCKS);
    assert.equal(await contentOfFile(raw), compared.join(" "), "the content of an export");
    await rm(path);
    await rm(raw);
  }
  assert.deepEqual(await readdir(exportDirectory), []);
  return doneCount;
}
