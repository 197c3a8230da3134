import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { ToolError } from "../base/errors.ts";
import type { InstanceId } from "../base/ids.ts";
import type { FaultReport } from "./faults/fault-engine.ts";
import type { FaultPlan } from "./faults/fault-plan.ts";
import { type HttpListener, httpListener, imdsListener } from "./http-listener.ts";
import { ImdsService } from "./imds/serve-imds.ts";
import { type ImportedImage, type ImportPlan, importImage } from "./import-image.ts";
import { type CloudOptions, openCloud } from "./open-cloud.ts";
import { underWay } from "./operations/cloud.ts";
import type { ImageRecord, SnapshotRecord, VolumeRecord } from "./state/records.ts";

export interface LocalCloudOptions extends CloudOptions {
  /** Address to listen on, "127.0.0.1". */
  readonly listen: string;
  /** 0: any that is free. */
  readonly port: number;
  /** An address of its own for the metadata service, beside `/latest/` of the EC2 address. */
  readonly imds?: { readonly host: string; readonly port: number };
  /** Whether the metadata service refuses IMDSv1. @default false */
  readonly requireImdsToken?: boolean;
}

export interface LocalCloud extends AsyncDisposable {
  /** "http://127.0.0.1:4566" */
  readonly url: string;
  /** Where the metadata service has an address of its own. */
  readonly imdsUrl: string | undefined;
  readonly address: { readonly host: string; readonly port: number };
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly accountId: string;
  readonly instanceId: InstanceId;
  readonly region: string;
  /** What the store holds, of all accounts and regions. */
  records(): CloudRecords;
  /** Registers an image of content that `plan.write` puts into the storage. */
  importImage(plan: ImportPlan): Promise<ImportedImage>;
  /** The faults that are in force, after replacing them with those of a plan if there is one. */
  faults(plan?: FaultPlan): FaultReport;
}

export interface CloudRecords {
  readonly images: readonly ImageRecord[];
  readonly volumes: readonly VolumeRecord[];
  readonly snapshots: readonly SnapshotRecord[];
}

/** Idle connections are kept longer than clients keep them, so that none is closed under a new request. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Opens a store and serves EC2, EBS, STS and the metadata service on it.
 *
 * The caller holds the store's lock and disposes of the storage after this.
 *
 * @throws {ToolError} ERR_LISTEN if the address cannot be had.
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  await using undo = new AsyncDisposableStack();
  const cloud = undo.use(await openCloud(options));
  const imds = new ImdsService(cloud, options.requireImdsToken ?? false);
  const address = await listen(undo, httpListener(cloud, imds), options.listen, options.port);
  const imdsAddress =
    options.imds === undefined
      ? undefined
      : await listen(undo, imdsListener(imds), options.imds.host, options.imds.port);
  const owned = undo.move();
  const identity = cloud.state.identity.get("store");
  const credentials = identity === undefined ? undefined : cloud.state.credentials.get(identity.accessKeyId);
  if (credentials === undefined) throw new TypeError("The store has no credentials of its own");
  const { accessKeyId, secretAccessKey } = credentials;
  return {
    url: urlOf(address),
    imdsUrl: imdsAddress === undefined ? undefined : urlOf(imdsAddress),
    address,
    credentials: { accessKeyId, secretAccessKey },
    accountId: cloud.host.accountId,
    instanceId: cloud.host.instanceId,
    region: cloud.host.region,
    records: () => ({
      images: cloud.state.images.values(),
      volumes: cloud.state.volumes.values(),
      snapshots: cloud.state.snapshots.values(),
    }),
    importImage: (plan) => underWay(cloud, () => importImage(cloud, plan)),
    faults: (plan) => {
      if (plan !== undefined) cloud.faults.replace(plan);
      return cloud.faults.report();
    },
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

async function listen(
  undo: AsyncDisposableStack,
  listener: HttpListener,
  host: string,
  port: number,
): Promise<{ host: string; port: number }> {
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, listener);
  undo.defer(() => close(server));
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: Error) => {
      reject(
        new ToolError("ERR_LISTEN", `Cannot listen on "${host}" port ${port}: ${cause.message}`, {
          cause,
          hint: "Choose another address with --listen and --port",
          fault: "host",
        }),
      );
    };
    server.once("error", onError);
    server.listen(port, host, () => {
      server.off("error", onError);
      resolve();
    });
  });
  // A server that listens on a host and port has an address of this kind.
  return { host, port: (server.address() as AddressInfo).port };
}

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Long waits of clients end here; a request whose work is going on is not answered any more.
  server.closeAllConnections();
  await closed;
}

function urlOf({ host, port }: { host: string; port: number }): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
