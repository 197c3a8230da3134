import { formatBytes } from "../../base/units.ts";
import { type CacheStatus, cacheStatus, clearCache } from "../../block-server/cache/cache-status.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { blockCacheBytes, blockCacheDirectory } from "./block-cache.ts";

/** Tells what is in the block cache. */
export async function runCacheStatus({ json }: { readonly json?: boolean }, context: CliContext): Promise<ExitCode> {
  const status = await cacheStatus(blockCacheDirectory(context.environment));
  const bytesMax = blockCacheBytes(context.environment);
  const text = json
    ? JSON.stringify({ type: "cache-status", ...status, bytesMax }, undefined, 2)
    : `${contentOf(status)} in ${status.cacheDirectory}, which may hold ${formatBytes(bytesMax)}`;
  context.stdout.write(`${text}\n`);
  return 0;
}

/** Deletes what is in the block cache, unless a build uses it. */
export async function runCacheClear(_options: unknown, context: CliContext): Promise<ExitCode> {
  const status = await clearCache(blockCacheDirectory(context.environment));
  context.stderr.write(`Deleted ${contentOf(status)} in ${status.cacheDirectory}\n`);
  return 0;
}

function contentOf({ blockCount, bytes, snapshotCount }: CacheStatus): string {
  const blocks = blockCount === 1 ? "1 block" : `${blockCount} blocks`;
  const snapshots = snapshotCount === 1 ? "1 snapshot" : `${snapshotCount} snapshots`;
  return `${blocks} of ${snapshots}, ${formatBytes(bytes)}`;
}
