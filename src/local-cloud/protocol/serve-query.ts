import { randomUUID } from "node:crypto";
import { type Call, type Operation, stopIfDryRun } from "../operations/call.ts";
import { type Cloud, underWay } from "../operations/cloud.ts";
import { EC2_OPERATIONS, STS_OPERATIONS } from "../operations/operations.ts";
import { isRegion } from "../operations/regions.ts";
import { ApiError } from "./api-error.ts";
import { type Authenticated, authenticate, type Service, signedService } from "./authenticate.ts";
import { isKnownAction } from "./known-actions.ts";
import { Params } from "./query-params.ts";
import type { SignedRequest } from "./sigv4.ts";
import { ec2Answer, ec2Error, stsAnswer, stsError, type XmlObject } from "./xml.ts";

export interface QueryAnswer {
  readonly status: number;
  readonly requestId: string;
  readonly xml: string;
}

const EC2_VERSION = "2016-11-15";

/** Parameters of the protocol itself. */
const PROTOCOL_PARAMETERS =
  /^(Action|Version|AWSAccessKeyId|Expires|SecurityToken|Signature|SignatureMethod|SignatureVersion|Timestamp|X-Amz-.*)$/;

/**
 * The way of every request: parse, authenticate, find the operation, throttle,
 * validate, run, encode. Whatever it did is durable before it is answered.
 */
export async function serveQuery(cloud: Cloud, request: SignedRequest): Promise<QueryAnswer> {
  const requestId = randomUUID();
  const params = parse(request);
  const action = params.string("Action") ?? "";
  const service = signedService(request) ?? serviceOfAction(action);
  const callMs = cloud.latency.nextCallMs(action);
  const answerAtMs = cloud.clock.now() + callMs;
  const run = async () => {
    const authenticated = authenticateRequest(cloud, request, service);
    const operation = findOperation(service, action);
    throttle(cloud, authenticated, action, params);
    validate(operation, params);
    const call: Call = { action, cloud, ...authenticated, params };
    const answer = await operation.run(call);
    // A call that changes something has stopped before that; one that only reads stops here.
    stopIfDryRun(call);
    return answer;
  };
  const answer = await underWay(cloud, () => settle(cloud, run));
  await cloud.transitions.sleep(answerAtMs - cloud.clock.now());
  if (answer instanceof ApiError) return encodeError(service, requestId, answer);
  return encodeAnswer(service, requestId, params, action, answer);
}

function parse({ method, target, body }: SignedRequest): Params {
  if (method !== "GET") return Params.parse(Buffer.from(body).toString());
  const question = target.indexOf("?");
  return Params.parse(question < 0 ? "" : target.slice(question + 1));
}

/** For a request that is not signed: whose error it gets. */
function serviceOfAction(action: string): Service {
  return Object.hasOwn(STS_OPERATIONS, action) || isKnownAction("sts", action) ? "sts" : "ec2";
}

function authenticateRequest({ state, clock }: Cloud, request: SignedRequest, service: Service): Authenticated {
  return authenticate(request, service, (accessKeyId) => state.credentials.get(accessKeyId), isRegion, clock.now());
}

function findOperation(service: Service, action: string): Operation {
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
  throw new ApiError("RequestLimitExceeded", "Request limit exceeded.", 503);
}

function validate(operation: Operation, params: Params): void {
  const unknown = params
    .topLevelNames()
    .find((name) => !operation.parameters.has(name) && !PROTOCOL_PARAMETERS.test(name));
  if (unknown === undefined) return;
  throw new ApiError("UnknownParameter", `The parameter ${unknown} is not recognized`);
}

/** Runs the call; what it changed is on disk before its answer or its error is given away. */
async function settle(cloud: Cloud, run: () => XmlObject | Promise<XmlObject>): Promise<XmlObject | ApiError> {
  try {
    const answer = await run();
    await cloud.state.commit();
    return answer;
  } catch (error) {
    if (error instanceof ApiError) return error;
    cloud.report("Cannot answer a request", error);
    return new ApiError("InternalError", "An internal error has occurred", 500);
  }
}

function encodeAnswer(
  service: Service,
  requestId: string,
  params: Params,
  action: string,
  body: XmlObject,
): QueryAnswer {
  const version = params.string("Version") ?? EC2_VERSION;
  const xml = service === "ec2" ? ec2Answer(action, version, requestId, body) : stsAnswer(action, requestId, body);
  return { status: 200, requestId, xml };
}

function encodeError(service: Service, requestId: string, { code, message, status }: ApiError): QueryAnswer {
  const xml = service === "ec2" ? ec2Error(code, message, requestId) : stsError(code, message, requestId, status);
  return { status, requestId, xml };
}
