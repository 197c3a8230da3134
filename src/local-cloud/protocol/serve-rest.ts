import { randomUUID } from "node:crypto";
import type { EbsAnswer } from "../ebs-direct/ebs-call.ts";
import { snapshotThrottled } from "../ebs-direct/ebs-errors.ts";
import { accountThrottled, ConnectionReset } from "../faults/fault-errors.ts";
import type { Cloud } from "../operations/cloud.ts";
import { ApiError } from "./api-error.ts";
import type { Authenticated } from "./authenticate.ts";
import type { RequestBody } from "./request-body.ts";
import { findRoute, type Route } from "./rest-routes.ts";
import { serveCall } from "./serve-call.ts";
import { type SignedRequest, sha256Hex } from "./sigv4.ts";

export interface RestRequest extends Omit<SignedRequest, "payloadHash"> {
  readonly body: RequestBody;
}

export interface RestAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The connection is to be reset after so many bytes of the body. */
  readonly cutAfterBytes: number | undefined;
  /** To be called when the body is not needed any more. */
  readonly onSent: (() => void) | undefined;
}

const UNSIGNED = "UNSIGNED-PAYLOAD";

/**
 * Serves a request of the EBS direct APIs: the way of every request, by the protocol restJson1.
 *
 * @returns "reset" if the connection is to be closed without an answer.
 */
export async function serveRest(cloud: Cloud, request: RestRequest): Promise<RestAnswer | "reset"> {
  const requestId = randomUUID();
  const route = findRoute(request.method, request.target);
  const action = route?.action ?? "";
  const { headers, body } = request;
  const answer = await serveCall(cloud, {
    service: "ebs",
    action,
    signed: async () => ({ ...request, payloadHash: await payloadHash(request, route) }),
    admit(authenticated) {
      if (route === undefined) throw new ApiError("UnknownOperationException", "Unknown operation", 404);
      throttle(cloud, authenticated, route);
      const { operation, path } = route;
      const query = new URL(request.target, "http://localhost").searchParams;
      return async (faults) => operation.run({ action, cloud, ...authenticated, faults, path, query, headers, body });
    },
  });
  if (answer instanceof ConnectionReset) return "reset";
  if (answer instanceof ApiError) return encodeError(requestId, answer);
  return encodeAnswer(requestId, answer);
}

/** @throws if the client goes away before it has sent what it has signed. */
async function payloadHash({ headers, body }: RestRequest, route: Route | undefined): Promise<string> {
  const isUnsigned = headers["x-amz-content-sha256"] === UNSIGNED && route?.operation.mayBeUnsigned === true;
  return isUnsigned ? UNSIGNED : sha256Hex(await body.read());
}

function throttle(cloud: Cloud, { caller, region }: Authenticated, { action, path }: Route): void {
  if (cloud.latency.mode === "none") return;
  const { snapshotId } = path;
  if (snapshotId !== undefined && !cloud.buckets.takeOfSnapshot(snapshotId, action)) throw snapshotThrottled();
  if (!cloud.buckets.take({ accountId: caller.accountId, region, action, isSelective: true })) throw accountThrottled();
}

function encodeAnswer(requestId: string, { status, headers, body, cutAfterBytes, onSent }: EbsAnswer): RestAnswer {
  const isBytes = Buffer.isBuffer(body);
  return {
    status,
    headers: {
      "x-amzn-requestid": requestId,
      "content-type": isBytes ? "application/octet-stream" : "application/json",
      ...headers,
    },
    body: isBytes ? body : Buffer.from(JSON.stringify(body)),
    cutAfterBytes,
    onSent,
  };
}

function encodeError(requestId: string, { code, message, status, reason }: ApiError): RestAnswer {
  const answer = encodeAnswer(requestId, { status, body: { Message: message, Reason: reason } });
  return { ...answer, headers: { ...answer.headers, "x-amzn-errortype": code } };
}
