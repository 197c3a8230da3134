import { randomUUID } from "node:crypto";
import { ConnectionReset, requestLimitExceeded } from "../faults/fault-errors.ts";
import { type Operation, stopIfDryRun } from "../operations/call.ts";
import type { Cloud } from "../operations/cloud.ts";
import { EC2_OPERATIONS, STS_OPERATIONS } from "../operations/operations.ts";
import { ApiError } from "./api-error.ts";
import { type Authenticated, signedService } from "./authenticate.ts";
import { isKnownAction } from "./known-actions.ts";
import { Params } from "./query-params.ts";
import { serveCall } from "./serve-call.ts";
import { type SignedRequest, sha256Hex } from "./sigv4.ts";
import { ec2Answer, ec2Error, stsAnswer, stsError, type XmlObject } from "./xml.ts";

export interface QueryRequest extends Omit<SignedRequest, "payloadHash"> {
  readonly body: Uint8Array;
}

export interface QueryAnswer {
  readonly status: number;
  readonly requestId: string;
  readonly xml: string;
}

/** The services with this protocol. */
type QueryService = "ec2" | "sts";

const EC2_VERSION = "2016-11-15";

/** Parameters of the protocol itself. */
const PROTOCOL_PARAMETERS =
  /^(Action|Version|AWSAccessKeyId|Expires|SecurityToken|Signature|SignatureMethod|SignatureVersion|Timestamp|X-Amz-.*)$/;

/**
 * Serves a request of EC2 or STS: the way of every request, by the Query protocol.
 *
 * @returns "reset" if the connection is to be closed without an answer.
 */
export async function serveQuery(cloud: Cloud, request: QueryRequest): Promise<QueryAnswer | "reset"> {
  const requestId = randomUUID();
  const params = parse(request);
  const action = params.string("Action") ?? "";
  const signed = { ...request, payloadHash: sha256Hex(request.body) };
  const service = signedService(signed) ?? serviceOfAction(action);
  const answer = await serveCall(cloud, {
    service,
    action,
    signed: () => signed,
    admit(authenticated) {
      const operation = findOperation(service, action);
      throttle(cloud, authenticated, action, params);
      validate(operation, params);
      return async (faults) => {
        const call = { action, cloud, ...authenticated, params, faults };
        const body = await operation.run(call);
        // A call that changes something has stopped before that; one that only reads stops here.
        stopIfDryRun(call);
        return body;
      };
    },
  });
  if (answer instanceof ConnectionReset) return "reset";
  if (answer instanceof ApiError) return encodeError(service, requestId, answer);
  return encodeAnswer(service, requestId, params, action, answer);
}

function parse({ method, target, body }: QueryRequest): Params {
  if (method !== "GET") return Params.parse(Buffer.from(body).toString());
  const question = target.indexOf("?");
  return Params.parse(question < 0 ? "" : target.slice(question + 1));
}

/** For a request that is not signed: whose error it gets. */
function serviceOfAction(action: string): QueryService {
  return Object.hasOwn(STS_OPERATIONS, action) || isKnownAction("sts", action) ? "sts" : "ec2";
}

function findOperation(service: QueryService, action: string): Operation {
  if (action === "") throw new ApiError("MissingAction", "Could not find action parameter in the request");
  const table = service === "ec2" ? EC2_OPERATIONS : STS_OPERATIONS;
  const operation = Object.hasOwn(table, action) ? table[action] : undefined;
  if (operation !== undefined) return operation;
  if (isKnownAction(service, action)) {
    const message = `The action ${action} exists in AWS, but amibake's local cloud does not have it.`;
    throw new ApiError("UnsupportedOperation", message);
  }
  throw new ApiError("InvalidAction", `The action ${action} is not valid for this web service.`);
}

function throttle(cloud: Cloud, { caller, region }: Authenticated, action: string, params: Params): void {
  if (cloud.latency.mode === "none") return;
  const isSelective = params.topLevelNames().some((name) => /^(Filter|MaxResults|NextToken|.*Id)$/.test(name));
  if (cloud.buckets.take({ accountId: caller.accountId, region, action, isSelective })) return;
  throw requestLimitExceeded();
}

function validate(operation: Operation, params: Params): void {
  const unknown = params
    .topLevelNames()
    .find((name) => !operation.parameters.has(name) && !PROTOCOL_PARAMETERS.test(name));
  if (unknown === undefined) return;
  throw new ApiError("UnknownParameter", `The parameter ${unknown} is not recognized`);
}

function encodeAnswer(
  service: QueryService,
  requestId: string,
  params: Params,
  action: string,
  body: XmlObject,
): QueryAnswer {
  const version = params.string("Version") ?? EC2_VERSION;
  const xml = service === "ec2" ? ec2Answer(action, version, requestId, body) : stsAnswer(action, requestId, body);
  return { status: 200, requestId, xml };
}

function encodeError(service: QueryService, requestId: string, { code, message, status }: ApiError): QueryAnswer {
  const xml = service === "ec2" ? ec2Error(code, message, requestId) : stsError(code, message, requestId, status);
  return { status, requestId, xml };
}
