import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readRunningChildren } from "../../scripts/testing/orphans.ts";
import {
  type DiskNode,
  emptyCgroups,
  mountsAnywhere,
  orphanedOverlays,
  processesIn,
  remainingNodes,
} from "./build-traces.ts";
import { findBaseDamage, findImages, findStrayManifests } from "./cloud-findings.ts";
import type { Stage } from "./crash-campaign.ts";
import { readHostState } from "./host-state.ts";

/** Measured to be well below a second on an idle machine; on a busy one even what is killed waits for its turn. */
const HOST_DEADLINE_MS = 15_000;
const HOST_LOOK_MS = 20;
/** A block server that waits for its first client does so for 20 s. */
const BLOCK_SERVER_DEADLINE_MS = 25_000;

/** Mounts, processes and devices of a killed build that are still there when the kernel had its time. */
export async function findTracesOfKilled({ foreign, emptyBefore }: Stage, place: string): Promise<string[]> {
  const start = performance.now();
  for (;;) {
    const orphans = [...(await readRunningChildren())].filter(([pid]) => !foreign.has(pid));
    const found = [
      ...(await mountsAnywhere(place)),
      ...(await processesIn(place)),
      ...(await emptyCgroups()).filter((cgroup) => !emptyBefore.has(cgroup)),
      ...(await orphanedOverlays()),
      ...orphans.map(([pid, command]) => `process ${pid}: ${command}`),
    ];
    const isOnlyServer = found.every((trace) => / block-server /.test(trace));
    const deadlineMs = isOnlyServer ? BLOCK_SERVER_DEADLINE_MS : HOST_DEADLINE_MS;
    if (found.length === 0 || performance.now() - start > deadlineMs) return [...new Set(found)];
    await delay(HOST_LOOK_MS);
  }
}

/** What is in the cloud after cleaning and belongs to no finished image, and what is missing. */
export async function findCloudLeaks({ cloud }: Stage, finished: readonly string[]): Promise<string[]> {
  const images = await findImages(cloud);
  const leaks = finished
    .filter((id) => !images.some(({ imageId }) => imageId === id))
    .map((id) => `the finished image ${id} is missing`);
  // A build may be killed when its image is finished and before it has said so.
  const kept = new Set<string>();
  for (const { imageId, snapshotId, faults } of images) {
    leaks.push(...faults.map((fault) => `image ${imageId}: ${fault}`));
    kept.add(imageId).add(snapshotId);
  }
  const others = (await cloud.resources()).filter((id) => !kept.has(id));
  return [...leaks, ...others.map((id) => `in the cloud: ${id}`), ...(await findBaseDamage(cloud))];
}

/** What is on the host after cleaning. `nodes` were there before it. */
export async function findHostLeaks(
  stage: Stage,
  { place, cacheDirectory, nodes }: { place: string; cacheDirectory: string; nodes: readonly DiskNode[] },
): Promise<string[]> {
  const { cloud, stateDirectory } = stage;
  const state = [...(await readHostState())].filter((line) => line.includes(cloud.storeDirectory));
  const journals = await readdir(join(stateDirectory, "builds")).catch(() => []);
  return [
    ...state,
    ...(await remainingNodes(nodes)),
    ...(await findTracesOfKilled(stage, place)),
    ...(await readdir(place)).map((name) => `directory ${join(place, name)}`),
    ...(await readdir("/var/lock/amibake").catch(() => []))
      .filter((name) => decodeURIComponent(name).startsWith(place))
      .map((name) => `lock file ${name}`),
    ...journals.map((name) => `journal ${name}`),
    ...(await findStrayManifests(cloud, stateDirectory)),
    // Beside the blocks: what a build writes has no name.
    ...(await readdir(cacheDirectory).catch(() => []))
      .filter((name) => name !== "blocks")
      .map((name) => `in the cache: ${name}`),
  ].map((leak) => `on the host: ${leak}`);
}
