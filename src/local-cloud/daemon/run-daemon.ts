import { realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { ToolError } from "../../base/errors.ts";
import { countOf } from "../../base/units.ts";
import { type ClientServer, endUnlessUsed } from "../../linux/daemons/serve-clients.ts";
import { writeFileAtomically } from "../../linux/files/atomic-file.ts";
import { prepareCommands } from "../../linux/run-command.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import { makeStoreDirectory } from "../make-store-directory.ts";
import { startLocalCloud } from "../server.ts";
import { settleBlockPlace } from "../settle-block-place.ts";
import { openDiskStorage } from "../storage/open-disk-storage.ts";
import { lockStore } from "../store-lock.ts";
import type { DaemonSettings, DaemonStatus } from "./control-protocol.ts";
import { serveControl } from "./control-server.ts";
import { requestHandlers } from "./request-handlers.ts";

export interface DaemonOptions {
  readonly settings: DaemonSettings;
  /** In force from the first call on. @default none */
  readonly faults?: FaultPlan | undefined;
  /** Ends the daemon. */
  readonly signal: AbortSignal;
  /** Called once, when clients can connect. */
  readonly onReady: (status: DaemonStatus) => void;
  /** Told what there is no client for. */
  readonly report: (message: string, error?: unknown) => void;
}

/**
 * Runs the local cloud of a store until it is told to end, by its signal or by a client.
 *
 * One store has one daemon: it holds the store's lock. When this resolves, the devices of attached volumes are given
 * back, unless they are in use; that is reported.
 */
export async function runDaemon({ settings, faults, signal, onReady, report }: DaemonOptions): Promise<void> {
  let requestEnd = () => {};
  const endRequested = new Promise<void>((resolve) => {
    requestEnd = resolve;
  });
  signal.addEventListener("abort", requestEnd, { once: true });
  // Attaching takes a dozen commands.
  void prepareCommands();
  await makeStoreDirectory(settings.storeDirectory);
  const storeDirectory = await realpath(settings.storeDirectory);

  await using owned = new AsyncDisposableStack();
  let control: ClientServer | undefined;
  // Last of all, when the lock is free: who waited for our end can start a daemon at once.
  owned.defer(() => control?.releaseWaiting());
  const lock = owned.use(await lockStore(storeDirectory, signal));
  const { imds, listen, port, latency, seed, nitro, blocks } = settings;
  await settleBlockPlace(storeDirectory, blocks, lock);
  const storage = owned.use(await openDiskStorage({ storeDirectory, lock, nitro, blocks, report }));
  const addresses = { listen, port, ...(imds === undefined ? {} : { imds }) };
  const cloud = owned.use(
    await startLocalCloud({ storeDirectory, storage, latency, seed, nitro, faults, report, ...addresses }),
  );
  await storage.removeUnknown(knownIds(cloud));
  const running = { settings: { ...settings, storeDirectory }, cloud, startedAt: new Date() };
  const status = () => statusOf(running, Math.max(0, (control?.clientCount() ?? 0) - 1));

  const stop = (force: boolean): DaemonStatus => {
    const now = status();
    if (now.clientCount > 0 && !force) throw busy(storeDirectory, now.clientCount);
    requestEnd();
    return now;
  };
  control = owned.use(
    await serveControl(storeDirectory, requestHandlers({ cloud, storage, status, stop }), () => {
      if (settings.isEphemeral) requestEnd();
      return settings.isEphemeral;
    }),
  );
  const endpointPath = join(storeDirectory, "endpoint.json");
  owned.defer(() => rm(endpointPath, { force: true }));
  try {
    await writeFileAtomically(endpointPath, `${JSON.stringify(status(), undefined, 2)}\n`);
  } catch (error) {
    // Such as a full disk, which only a daemon that runs can make room on. The command line asks the socket.
    report(`Cannot write "${endpointPath}"`, error);
  }
  onReady(status());
  using _timer = settings.isEphemeral ? endUnlessUsed(control, requestEnd) : undefined;
  await endRequested;
}

function knownIds({ records }: Running["cloud"]): (id: string) => boolean {
  const { volumes, snapshots } = records();
  const ids = new Set<string>([...volumes, ...snapshots].map(({ id }) => id));
  return (id) => ids.has(id);
}

interface Running {
  readonly settings: DaemonSettings;
  readonly cloud: Awaited<ReturnType<typeof startLocalCloud>>;
  readonly startedAt: Date;
}

function statusOf({ settings, cloud, startedAt }: Running, clientCount: number): DaemonStatus {
  // A wildcard address is none that one can connect to.
  const url = cloud.url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
  return {
    pid: process.pid,
    url,
    imdsUrl: cloud.imdsUrl,
    startedAt: startedAt.toISOString(),
    clientCount,
    faultRuleCount: cloud.faults().rules.length,
    settings: { ...settings, port: cloud.address.port },
    environment: {
      AWS_ENDPOINT_URL: url,
      AWS_ACCESS_KEY_ID: cloud.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: cloud.credentials.secretAccessKey,
      AWS_REGION: cloud.region,
      AWS_DEFAULT_REGION: cloud.region,
      // The EC2 address answers /latest/ as well.
      AWS_EC2_METADATA_SERVICE_ENDPOINT: cloud.imdsUrl ?? url,
      AMIBAKE_LOCAL_STORE: settings.storeDirectory,
    },
  };
}

function busy(storeDirectory: string, clientCount: number): ToolError {
  const clients = countOf(clientCount, "client uses", "clients use");
  return new ToolError("ERR_LOCAL_CLOUD_BUSY", `Cannot stop the local cloud of "${storeDirectory}": ${clients} it`, {
    hint: "Wait for the builds to end, or end it under them: amibake local stop --force",
  });
}
