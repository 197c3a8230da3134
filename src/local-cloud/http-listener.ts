import type { IncomingMessage, ServerResponse } from "node:http";
import type { ImdsService } from "./imds/serve-imds.ts";
import type { Cloud } from "./operations/cloud.ts";
import { RequestBody } from "./protocol/request-body.ts";
import { isRestPath } from "./protocol/rest-routes.ts";
import { serveQuery } from "./protocol/serve-query.ts";
import { serveRest } from "./protocol/serve-rest.ts";
import { BlockBuffers } from "./storage/block-buffers.ts";

export type HttpListener = (request: IncomingMessage, response: ServerResponse) => void;

// EC2's largest requests are well below: 64 KB of UEFI data, or a thousand ids.
const BODY_BYTES_MAX = 4 * 1024 * 1024;

/** Answers requests of EC2, EBS, STS, and those of the metadata service that come to their address. */
export function httpListener(cloud: Cloud, imds: ImdsService): HttpListener {
  const buffers = new BlockBuffers();
  return (request, response) => {
    const target = request.url ?? "/";
    if (isImdsPath(target)) void answerImds(imds, request, response);
    else if (isRestPath(target)) void answerRest(cloud, buffers, request, response);
    else void answerQuery(cloud, request, response);
  };
}

/** Answers requests of the metadata service alone. */
export function imdsListener(imds: ImdsService): HttpListener {
  return (request, response) => void answerImds(imds, request, response);
}

async function answerQuery(cloud: Cloud, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url: target = "/" } = request;
  if (method !== "POST" && method !== "GET") return send(response, 405, {}, "");
  try {
    const body = await readBody(request);
    if (body === undefined) return send(response, 413, { connection: "close" }, "");
    const headersIn = headersOf(request);
    const answered = await serveQuery(cloud, { method, target, headers: headersIn, body });
    if (answered === "reset") return void request.socket.resetAndDestroy();
    const { status, requestId, xml } = answered;
    const headers = { "content-type": "text/xml;charset=UTF-8", "x-amzn-requestid": requestId };
    send(response, status, headers, xml);
  } catch {
    // The client went away, or the cloud is closing: there is nobody to tell.
    response.destroy();
  }
}

async function answerRest(
  cloud: Cloud,
  buffers: BlockBuffers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = "GET", url: target = "/" } = request;
  using body = new RequestBody(request, buffers);
  try {
    const answered = await serveRest(cloud, { method, target, headers: headersOf(request), body });
    if (answered === "reset") return void request.socket.resetAndDestroy();
    const { status, headers, body: content, cutAfterBytes, onSent } = answered;
    // Whatever becomes of the connection. One that has gone already does not tell it any more.
    if (onSent !== undefined && response.closed) onSent();
    else if (onSent !== undefined) response.once("close", onSent);
    response.writeHead(status, { ...headers, "content-length": content.length });
    if (cutAfterBytes === undefined) return void response.end(content);
    response.write(content.subarray(0, cutAfterBytes), () => request.socket.resetAndDestroy());
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
