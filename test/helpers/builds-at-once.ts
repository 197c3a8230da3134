import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readHashes, readListing } from "../../src/block-server/snapshots/snapshot-index.ts";
import { writeTemplate } from "./build-template.ts";
import { setFaults } from "./set-faults.ts";
import type { TestCloud } from "./test-cloud.ts";

export interface BuildsAtOnce {
  /** What each process said that failed. */
  readonly failures: readonly string[];
  /** GetSnapshotBlock calls that the cloud has had. */
  readonly fetchCount: number;
  /** Different blocks of the base among them. */
  readonly blockCount: number;
  /** That the base has. */
  readonly allocatedCount: number;
  readonly elapsedMs: number;
}

/**
 * Runs amazon-direct builds on the base image, all at once and with one cold cache, in several processes.
 *
 * @param options.inline what each does in the image.
 */
export async function buildAtOnce(
  cloud: TestCloud,
  options: { readonly processCount: number; readonly buildsEach: number; readonly inline: readonly string[] },
): Promise<BuildsAtOnce> {
  const cacheDirectory = join(cloud.scratch, "cache-of-many");
  const builders = Array.from({ length: options.buildsEach }, (_, index) => ({
    type: "amazon-direct",
    name: `build-${index + 1}`,
    ami_name: "at once {{uuid}}",
    source_ami: cloud.baseImageId,
    mount_path: join(cloud.scratch, "mnt/{{.Device}}"),
  }));
  const template = await writeTemplate(cloud, {}, [{ type: "shell", inline: options.inline }], { builders });
  // A fault of no consequence that counts.
  await setFaults(cloud, [{ fault: "slow", actions: ["GetSnapshotBlock"], seconds: 0 }]);
  const start = performance.now();
  const results = await Promise.all(
    Array.from({ length: options.processCount }, () =>
      cloud.amibake(["build", "-color=false", template], { env: { AMIBAKE_CACHE_DIR: cacheDirectory } }),
    ),
  );
  const elapsedMs = performance.now() - start;
  const { rules } = await setFaults(cloud, []);
  const index = await onlyIndex(join(cacheDirectory, "blocks/snapshots"));
  const [listing, hashes] = await Promise.all([readListing(index), readHashes(index)]);
  return {
    failures: results.filter(({ exitCode }) => exitCode !== 0).map(({ stdout, stderr }) => stdout + stderr),
    fetchCount: rules[0]?.callCount ?? 0,
    blockCount: new Set([...hashes].map(({ blockIndex }) => blockIndex)).size,
    allocatedCount: listing?.blockIndexes.length ?? 0,
    elapsedMs,
  };
}

/** The path of what is known of a snapshot, where the cache holds blocks of one only; less the files' endings. */
async function onlyIndex(snapshotDirectory: string): Promise<string> {
  const [listing, ...others] = (await readdir(snapshotDirectory, { recursive: true })).filter((name) =>
    name.endsWith(".blocks"),
  );
  if (listing === undefined || others.length > 0) throw new Error(`Not one snapshot in ${snapshotDirectory}`);
  return join(snapshotDirectory, listing.slice(0, -".blocks".length));
}
