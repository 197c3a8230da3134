import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { ToolError } from "../base/errors.ts";
import type { InstanceId } from "../base/ids.ts";
import { ImdsService } from "./imds/serve-imds.ts";
import { type ImportedImage, type ImportPlan, importImage } from "./import-image.ts";
import { type CloudOptions, openCloud } from "./open-cloud.ts";
import { type Cloud, underWay } from "./operations/cloud.ts";
import { serveQuery } from "./protocol/serve-query.ts";
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
}

export interface CloudRecords {
  readonly images: readonly ImageRecord[];
  readonly volumes: readonly VolumeRecord[];
  readonly snapshots: readonly SnapshotRecord[];
}

// EC2's largest requests are well below: 64 KB of UEFI data, or a thousand ids.
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** Idle connections are kept longer than clients keep them, so that none is closed under a new request. */
const KEEP_ALIVE_MS = 75_000;

/**
 * Opens a store and serves EC2, STS and the metadata service on it.
 *
 * The caller holds the store's lock and disposes of the storage after this.
 *
 * @throws {ToolError} ERR_LISTEN if the address cannot be had.
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
  await using undo = new AsyncDisposableStack();
  const cloud = undo.use(await openCloud(options));
  const imds = new ImdsService(cloud, options.requireImdsToken ?? false);
  const listener = (request: IncomingMessage, response: ServerResponse) => void answer(cloud, imds, request, response);
  const address = await listen(undo, listener, options.listen, options.port);
  const imdsListener = (request: IncomingMessage, response: ServerResponse) => void answerImds(imds, request, response);
  const imdsAddress =
    options.imds === undefined ? undefined : await listen(undo, imdsListener, options.imds.host, options.imds.port);
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
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

async function listen(
  undo: AsyncDisposableStack,
  listener: Listener,
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

async function answer(
  cloud: Cloud,
  imds: ImdsService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? "/";
  if (isImdsPath(target)) return answerImds(imds, request, response);
  if (request.method !== "POST" && request.method !== "GET") return send(response, 405, {}, "");
  try {
    const body = await readBody(request);
    if (body === undefined) return send(response, 413, { connection: "close" }, "");
    const { status, requestId, xml } = await serveQuery(cloud, {
      method: request.method,
      target,
      headers: headersOf(request),
      body,
    });
    const headers = { "content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": requestId };
    send(response, status, headers, xml);
  } catch {
    // The client went away, or the cloud is closing: there is nobody to tell.
    response.destroy();
  }
}

async function answerImds(imds: ImdsService, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
  // Nothing is read from a body, but one that was sent has to be taken in.
  request.resume();
  try {
    const { status, headers, body } = await imds.serve({
      method: request.method ?? "GET",
      path,
      headers: headersOf(request),
    });
    send(response, status, { server: "EC2ws", ...headers }, body);
  } catch {
    response.destroy();
  }
}

function isImdsPath(target: string): boolean {
  return /^\/(latest|\d{4}-\d\d-\d\d)(\/|$)/.test(target);
}

function send(response: ServerResponse, status: number, headers: Readonly<Record<string, string>>, body: string): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function headersOf(request: IncomingMessage): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(",") : value]),
  );
}

/** @returns undefined if it is too long. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  for await (const chunk of request) {
    lengthBytes += chunk.length;
    if (lengthBytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
