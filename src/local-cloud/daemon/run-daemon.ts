import { mkdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { ToolError } from "../../base/errors.ts";
import { writeFileAtomically } from "../../linux/atomic-file.ts";
import { startLocalCloud } from "../server.ts";
import { openDiskStorage } from "../storage/open-disk-storage.ts";
import { lockStore } from "../store-lock.ts";
import type { DaemonSettings, DaemonStatus } from "./control-protocol.ts";
import { type ControlServer, serveControl } from "./control-server.ts";
import { requestHandlers } from "./request-handlers.ts";

export interface DaemonOptions {
  readonly settings: DaemonSettings;
  /** Ends the daemon. */
  readonly signal: AbortSignal;
  /** Called once, when clients can connect. */
  readonly onReady: (status: DaemonStatus) => void;
  /** Told what there is no client for. */
  readonly report: (message: string, error?: unknown) => void;
}

// An ephemeral daemon whose starter was killed must not stay for ever.
const FIRST_CLIENT_DEADLINE_MS = 20_000;

/**
 * Runs the local cloud of a store until it is told to end, by its signal or by a client.
 *
 * One store has one daemon: it holds the store's lock. When this resolves, the devices of attached volumes are given
 * back, unless they are in use; that is reported.
 */
export async function runDaemon({ settings, signal, onReady, report }: DaemonOptions): Promise<void> {
  let requestEnd = () => {};
  const endRequested = new Promise<void>((resolve) => {
    requestEnd = resolve;
  });
  signal.addEventListener("abort", requestEnd, { once: true });
  await mkdir(settings.storeDirectory, { recursive: true, mode: 0o700 });
  const storeDirectory = await realpath(settings.storeDirectory);

  await using owned = new AsyncDisposableStack();
  let control: ControlServer | undefined;
  // Last of all, when the lock is free: who waited for our end can start a daemon at once.
  owned.defer(() => control?.releaseWaiting());
  const lock = owned.use(await lockStore(storeDirectory, signal));
  const storage = owned.use(await openDiskStorage({ storeDirectory, lock, nitro: settings.nitro, report }));
  const { imds, listen, port, latency, seed, nitro } = settings;
  const addresses = { listen, port, ...(imds === undefined ? {} : { imds }) };
  const cloud = owned.use(
    await startLocalCloud({ storeDirectory, storage, latency, seed, nitro, report, ...addresses }),
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
  await writeFileAtomically(endpointPath, `${JSON.stringify(status(), undefined, 2)}\n`);
  onReady(status());
  using _timer = endUnlessUsed(settings.isEphemeral, control, requestEnd);
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

function endUnlessUsed(isEphemeral: boolean, control: ControlServer, requestEnd: () => void): Disposable {
  const look = () => {
    if (control.endIfUnused()) requestEnd();
  };
  const timer = isEphemeral ? setTimeout(look, FIRST_CLIENT_DEADLINE_MS) : undefined;
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

function busy(storeDirectory: string, clientCount: number): ToolError {
  const clients = clientCount === 1 ? "1 client uses" : `${clientCount} clients use`;
  return new ToolError("ERR_LOCAL_CLOUD_BUSY", `Cannot stop the local cloud of "${storeDirectory}": ${clients} it`, {
    hint: "Wait for the builds to end, or end it under them: amibake local stop --force",
  });
}
