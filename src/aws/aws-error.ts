import { messageOf, ToolError } from "../base/errors.ts";

/** A call that AWS, or the way to it, refused. */
export class AwsError extends ToolError {
  override readonly name = "AwsError";
  /** The action, e.g. "CreateVolume". */
  readonly call: string;
  /** EC2's error code, e.g. "InvalidVolume.NotFound"; the system's, e.g. "ECONNREFUSED", if no answer came. */
  readonly awsCode: string;
  readonly requestId: string | undefined;

  constructor(call: string, awsCode: string, detail: string, requestId?: string) {
    super("ERR_AWS", `Cannot ${call}: ${awsCode}: ${detail}`, { hint: HINTS[awsCode] });
    this.call = call;
    this.awsCode = awsCode;
    this.requestId = requestId;
  }
}

/** Whether EC2 said that it has no such thing. */
export function isNotFound(error: unknown): boolean {
  return error instanceof AwsError && /\.NotFound$|^InvalidAMIID\.Unavailable$/.test(error.awsCode);
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof AwsError && codes.includes(error.awsCode);
}

/** A release that comes right after the release of what used it: EC2 needs some time to notice. */
export function isStillInUse(error: unknown): boolean {
  return hasCode(error, "VolumeInUse", "InvalidSnapshot.InUse");
}

// docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
const THROTTLED = new Set([
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingException",
  "RequestThrottled",
  "TooManyRequestsException",
]);
const SERVER_FAULTS = new Set([
  "InternalError",
  "InternalFailure",
  "ServiceUnavailable",
  "Unavailable",
  "ServerInternal",
]);
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
const LOST = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "TimeoutError", "RequestTimeout", "NetworkingError"]);

/**
 * Whether sending the call again can help and cannot do harm.
 *
 * @param isIdempotent whether a call whose answer was lost may simply be repeated.
 */
export function isTransient(error: unknown, isIdempotent: boolean): boolean {
  if (!(error instanceof AwsError)) return false;
  if (THROTTLED.has(error.awsCode) || NEVER_SENT.has(error.awsCode)) return true;
  return isIdempotent && (LOST.has(error.awsCode) || SERVER_FAULTS.has(error.awsCode));
}

/** Classifies what the SDK threw. */
export function awsErrorFrom(call: string, thrown: unknown): AwsError {
  const { code, requestId } = codeOf(thrown);
  return new AwsError(call, code, messageOf(thrown) || code, requestId);
}

function codeOf(thrown: unknown): { code: string; requestId?: string | undefined } {
  if (typeof thrown !== "object" || thrown === null) return { code: "Unknown" };
  const metadata = "$metadata" in thrown ? (thrown.$metadata as { requestId?: string }) : {};
  // A system error of the connection carries `code`; an error that AWS sent carries its code as `Code` and as the name.
  for (const key of ["Code", "code"] as const) {
    const value = (thrown as Record<string, unknown>)[key];
    if (typeof value === "string") return { code: value, requestId: metadata.requestId };
  }
  const name = thrown instanceof Error ? thrown.name : "Unknown";
  return { code: name, requestId: metadata.requestId };
}

const HINTS: Readonly<Record<string, string>> = {
  UnauthorizedOperation:
    "Allow the action in the policy of the key or role that amibake runs with: amibake doctor --aws",
  AuthFailure: "Check access_key and secret_key, the clock of this host, and that the account may use the region",
  SignatureDoesNotMatch: "Check secret_key and the clock of this host",
  RequestExpired: "The credentials have expired, or the clock of this host is wrong",
  ExpiredToken: "The credentials have expired: renew them and build again",
  InvalidClientTokenId: "Check access_key and token",
  AttachmentLimitExceeded:
    "The instance has as many volumes attached as its type allows: wait for other builds to end, run fewer at once (-parallel-builds), or use a larger instance type",
  ECONNREFUSED: "Check that the endpoint runs: AWS_ENDPOINT_URL, custom_endpoint_ec2, or amibake local status",
  ENOTFOUND: "Check the region's name and this host's DNS",
};
