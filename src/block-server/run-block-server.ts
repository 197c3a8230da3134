import { realpath } from "node:fs/promises";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { ToolError } from "../base/errors.ts";
import { lockForDaemon } from "../linux/daemons/daemon-lock.ts";
import { type ClientServer, endUnlessUsed, serveClients } from "../linux/daemons/serve-clients.ts";
import type { FileLock } from "../linux/files/file-lock.ts";
import { BlockCache, type CacheTrouble } from "./cache/block-cache.ts";
import {
  cacheLayout,
  controlSocketPath,
  lockPath,
  makeCacheDirectory,
  nbdSocketPath,
  prepareCache,
} from "./cache/cache-layout.ts";
import { serveNbd } from "./nbd/nbd-server.ts";
import { SnapshotRegister } from "./snapshots/snapshot-register.ts";
import type { OpenEbs } from "./sources/ebs-fetcher.ts";
import { serveSource } from "./sources/serve-source.ts";

export interface BlockServerOptions {
  /** Made if it is missing. */
  readonly cacheDirectory: string;
  /** How many bytes of blocks are kept in it. */
  readonly cacheBytesMax: number;
  /** @default the AWS SDK */
  readonly openEbs?: OpenEbs;
  /** @default the system's */
  readonly clock?: Clock;
  /** Whether this process has other things to do, so that clients must not wait for its end. @default false */
  readonly isGuest?: boolean;
  /** Ends the server, also under its clients. */
  readonly signal: AbortSignal;
  /** Called once, when clients can connect. */
  readonly onReady: () => void;
  /** Told what there is no client for. */
  readonly report: (message: string, error?: unknown) => void;
}

/** What is too much in the cache has time: a build that begins has not. */
const TRIM_AFTER_MS = 1_000;

/**
 * Serves the blocks of snapshots from a cache, as NBD, until the last client has gone.
 *
 * A cache has one server: it holds the lock. Whatever ends it, the kernel tells its clients.
 */
export async function runBlockServer(options: BlockServerOptions): Promise<void> {
  const { cacheBytesMax, signal, onReady, report, openEbs = openEbsSdk, clock = systemClock } = options;
  let requestEnd = () => {};
  const endRequested = new Promise<void>((resolve) => {
    requestEnd = resolve;
  });
  signal.addEventListener("abort", requestEnd, { once: true });
  await makeCacheDirectory(options.cacheDirectory);
  const cacheDirectory = await realpath(options.cacheDirectory);

  await using owned = new AsyncDisposableStack();
  let clients: ClientServer | undefined;
  // Last of all, when the lock is free: who waited for our end can start a server at once.
  owned.defer(() => clients?.releaseWaiting({ isNow: options.isGuest ?? false }));
  owned.use(await lockCache(cacheDirectory, signal));
  const layout = cacheLayout(cacheDirectory);
  await prepareCache(layout);
  const troubleListeners = new Set<(kind: CacheTrouble, message: string) => void>();
  const onTrouble = (kind: CacheTrouble, message: string) => {
    report(message);
    for (const listener of troubleListeners) listener(kind, message);
  };
  const cache = owned.use(new BlockCache({ layout, cacheBytesMax, onTrouble }));
  const nbd = owned.use(await serveNbd(nbdSocketPath(cacheDirectory), report));
  const snapshots = new SnapshotRegister(cache, layout.snapshotDirectory);
  const host = { snapshots, nbd, nbdSocketPath: nbd.socketPath, openEbs, clock, report, troubleListeners };
  clients = owned.use(
    await serveClients({
      socketPath: controlSocketPath(cacheDirectory),
      serve: (socket, closing) => serveSource(socket, closing, host),
      onLastClientGone: () => {
        requestEnd();
        return true;
      },
    }),
  );
  onReady();
  using _unused = endUnlessUsed(clients, requestEnd);
  using _trimming = later(TRIM_AFTER_MS, () => cache.trim());
  await endRequested;
}

/** Loaded when a block has to be fetched: a build that finds all of them in the cache does without. */
const openEbsSdk: OpenEbs = async (options) => {
  const { createEbsApi } = await import("../aws/ebs-sdk.ts");
  return createEbsApi(options);
};

function lockCache(cacheDirectory: string, signal: AbortSignal): Promise<FileLock> {
  return lockForDaemon(
    lockPath(cacheDirectory),
    signal,
    () =>
      new ToolError("ERR_BLOCK_SERVER", `Cannot use the block cache "${cacheDirectory}": another server holds it`, {
        hint: `See which process that is: fuser --verbose ${lockPath(cacheDirectory)}`,
        fault: "host",
      }),
  );
}

function later(delayMs: number, work: () => void): Disposable {
  const timer = setTimeout(work, delayMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
