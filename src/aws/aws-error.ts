import { messageOf, ToolError } from "../base/errors.ts";

interface AwsErrorOptions {
  readonly requestId?: string | undefined;
  readonly reason?: string | undefined;
  /** What the call is about: "block 7 of snap-1". */
  readonly subject?: string | undefined;
  /** Whether an earlier attempt of the same call had no answer. */
  readonly wasLostBefore?: boolean;
  /** Whether there was an answer that is none of AWS's, such as a proxy's error page. */
  readonly isGarbled?: boolean;
  /** Whether the request was handed to the network. If not, it is what comes before it that failed. @default true */
  readonly wasSent?: boolean;
  /** Whether it is the way the call is set up that does not work: nothing was sent. */
  readonly isMisconfigured?: boolean;
  /** The variable of the environment that names a proxy, which no call uses. */
  readonly ignoredProxy?: string | undefined;
}

/** A call that AWS, or the way to it, refused. */
export class AwsError extends ToolError {
  override readonly name = "AwsError";
  /** The action, e.g. "CreateVolume". */
  readonly call: string;
  /** EC2's error code, e.g. "InvalidVolume.NotFound"; the system's, e.g. "ECONNREFUSED", if no answer came. */
  readonly awsCode: string;
  readonly requestId: string | undefined;
  /** What the EBS direct APIs add to their code, e.g. "INVALID_BLOCK_TOKEN". */
  readonly reason: string | undefined;
  /** Whether there was no answer, or none that means anything. */
  readonly isLost: boolean;
  /** Whether the request was handed to the network. If not, what comes before it failed, such as the renewal of credentials. */
  readonly wasSent: boolean;
  /**
   * Whether the call may have done its work all the same: its answer, or that of an earlier
   * attempt, was lost.
   */
  readonly mayHaveTakenEffect: boolean;

  constructor(call: string, awsCode: string, detail: string, options: AwsErrorOptions = {}) {
    const { requestId, reason, subject, wasSent = true } = options;
    const { wasLostBefore = false, isGarbled = false, isMisconfigured = false } = options;
    const code = reason === undefined ? awsCode : `${awsCode} (${reason})`;
    const what = subject === undefined ? call : `${call} ${subject}`;
    super("ERR_AWS", `Cannot ${what}: ${code}: ${detail}`, {
      hint: hintFor(awsCode, detail, options),
      fault: isMisconfigured ? "usage" : "build",
    });
    this.call = call;
    this.awsCode = awsCode;
    this.requestId = requestId;
    this.reason = reason;
    this.isLost = isGarbled || LOST.has(awsCode) || SERVER_FAULTS.has(awsCode);
    this.wasSent = wasSent;
    this.mayHaveTakenEffect = wasLostBefore || (wasSent && this.isLost);
  }
}

/** Whether EC2, or EBS, said that it has no such thing. */
export function isNotFound(error: unknown): boolean {
  return (
    error instanceof AwsError &&
    /\.NotFound$|^InvalidAMIID\.Unavailable$|^ResourceNotFoundException$/.test(error.awsCode)
  );
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof AwsError && codes.includes(error.awsCode);
}

/** A release that comes right after the release of what used it: EC2 needs some time to notice. */
export function isStillInUse(error: unknown): boolean {
  if (hasCode(error, "VolumeInUse", "InvalidSnapshot.InUse")) return true;
  // A volume that is still being created.
  return hasCode(error, "IncorrectState") && (error as AwsError).call === "DeleteVolume";
}

/**
 * Whether it is a policy that does not allow the action. EBS has the same code for a snapshot that is somebody else's.
 *
 * @param text the message of an AccessDeniedException; docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
 */
export function isOfPolicy(text: string): boolean {
  return /not authorized to perform|explicit deny/.test(text);
}

/** Whether EBS said so for this reason, e.g. "INVALID_BLOCK_TOKEN". */
export function hasReason(error: unknown, ...reasons: readonly string[]): boolean {
  return error instanceof AwsError && error.reason !== undefined && reasons.includes(error.reason);
}

// docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
// docs.aws.amazon.com/ebs/latest/userguide/error-retries.html
const THROTTLED = new Set([
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingException",
  "RequestThrottled",
  "RequestThrottledException",
  "TooManyRequestsException",
]);
const SERVER_FAULTS = new Set([
  "InternalError",
  "InternalFailure",
  "InternalServerException",
  "ServiceUnavailable",
  "Unavailable",
  "ServerInternal",
]);
const NEVER_SENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
/** A block, or the hash of a block, that came back as another. */
export const DAMAGED_ON_THE_WAY = "DamagedOnTheWay";
const LOST = new Set([
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "TimeoutError",
  "RequestTimeout",
  "NetworkingError",
  DAMAGED_ON_THE_WAY,
]);

/**
 * Whether sending the call again can help and cannot do harm.
 *
 * @param isIdempotent whether a call whose answer was lost may simply be repeated.
 */
export function isTransient(error: unknown, isIdempotent: boolean): boolean {
  if (!(error instanceof AwsError)) return false;
  if (THROTTLED.has(error.awsCode) || (NEVER_SENT.has(error.awsCode) && !error.isLost)) return true;
  if (isLateBlock(error) || PASSING.has(error.awsCode)) return true;
  return error.isLost && (isIdempotent || !error.wasSent);
}

// Too many pending snapshots in the account. Others' become complete.
const PASSING = new Set(["ConcurrentLimitExceededException"]);

/**
 * Whether a block did not come through in time, or met its own earlier attempt, that EBS still works on. The message is
 * EBS's where the line is too slow for the calls under way.
 */
function isLateBlock(error: AwsError): boolean {
  if (error.awsCode !== "ValidationException") return false;
  return (
    hasReason(error, "WRITE_REQUEST_TIMEOUT", "CONFLICTING_BLOCK_UPDATE") ||
    /Failed to read block data/.test(error.message)
  );
}

/** Whether fewer calls at once would have done better. */
export function isOverload(error: AwsError): boolean {
  return (
    THROTTLED.has(error.awsCode) || isLateBlock(error) || ["TimeoutError", "ServiceUnavailable"].includes(error.awsCode)
  );
}

/**
 * Classifies what the SDK threw.
 *
 * @param options.wasLostBefore whether an earlier attempt of the same call had no answer.
 */
export function awsErrorFrom(
  call: string,
  thrown: unknown,
  { wasSent = true, ...context }: Pick<AwsErrorOptions, "subject" | "wasLostBefore" | "wasSent" | "ignoredProxy"> = {},
): AwsError {
  const { code, requestId } = codeOf(thrown);
  const status = statusOf(thrown);
  const isGarbled = wasSent ? isNoAnswerOfAws(thrown, code, status) : isNoAnswerOfOthers(thrown, status);
  // Who looks for credentials may fail on the network, too: that passes.
  const isMisconfigured = !wasSent && !isGarbled && status === undefined && !isOfNetwork(code);
  const isExplained = status === undefined || SERVER_FAULTS.has(code) || code === DAMAGED_ON_THE_WAY;
  const detail =
    isGarbled && !isExplained ? `an answer that is none of AWS's, with status ${status}` : messageOf(thrown);
  const reason = reasonGiven(thrown);
  return new AwsError(call, code, detail || code, {
    ...context,
    wasSent,
    requestId,
    reason,
    isGarbled,
    isMisconfigured,
  });
}

/** Whether the service that renews credentials, such as STS, did not answer as it does. */
function isNoAnswerOfOthers(thrown: unknown, status: number | undefined): boolean {
  return (status ?? 0) >= 500 || thrown instanceof SyntaxError;
}

/**
 * The call was not made only if AWS says so, or it could not be sent. A page of a proxy or an answer that breaks off says
 * nothing.
 */
function isNoAnswerOfAws(thrown: unknown, code: string, status: number | undefined): boolean {
  if (THROTTLED.has(code)) return false;
  if (status !== undefined) return status >= 500 || status < 400;
  // The way can be lost when the call is on it, too.
  const syscall = typeof thrown === "object" && thrown !== null && "syscall" in thrown ? thrown.syscall : undefined;
  return !(NEVER_SENT.has(code) && (syscall === "connect" || syscall === "getaddrinfo"));
}

function isOfNetwork(code: string): boolean {
  return NEVER_SENT.has(code) || LOST.has(code) || THROTTLED.has(code) || SERVER_FAULTS.has(code);
}

function statusOf(thrown: unknown): number | undefined {
  if (typeof thrown !== "object" || thrown === null || !("$metadata" in thrown)) return undefined;
  return (thrown.$metadata as { httpStatusCode?: number } | undefined)?.httpStatusCode;
}

function reasonGiven(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("Reason" in thrown)) return undefined;
  return typeof thrown.Reason === "string" && thrown.Reason !== "" ? thrown.Reason : undefined;
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

function hintFor(
  awsCode: string,
  detail: string,
  { reason, isMisconfigured, ignoredProxy }: AwsErrorOptions,
): string | undefined {
  if (awsCode === "AccessDeniedException" && isOfPolicy(detail)) return HINTS[awsCode];
  const hint = HINTS[reason ?? ""] ?? HINTS[awsCode] ?? (isMisconfigured ? MISCONFIGURED_HINT : undefined);
  if (ignoredProxy === undefined || !isUnreachable(awsCode)) return hint;
  const direct = `${ignoredProxy} is set, but amibake uses no proxy: this host needs a direct way to AWS`;
  return hint === undefined ? direct : `${hint}. ${direct}`;
}

/** Whether there may be no way to where the call goes. */
function isUnreachable(code: string): boolean {
  return NEVER_SENT.has(code) || code === "ETIMEDOUT" || code === "TimeoutError";
}

const MISCONFIGURED_HINT =
  "Nothing was sent: check AWS_ENDPOINT_URL, AWS_USE_FIPS_ENDPOINT, AWS_USE_DUALSTACK_ENDPOINT and AWS_REGION, and the same settings of the profile in ~/.aws/config";

const HINTS: Readonly<Record<string, string>> = {
  UnauthorizedOperation:
    "Allow the action in the policy of the key or role that amibake runs with: amibake doctor --aws",
  AuthFailure: "Check access_key and secret_key, the clock of this host, and that the account may use the region",
  SignatureDoesNotMatch: "Check secret_key and the clock of this host",
  RequestExpired: "The credentials have expired, or the clock of this host is wrong",
  ExpiredToken: "The credentials have expired: renew them and build again",
  InvalidClientTokenId: "Check access_key and token",
  AccessDeniedException:
    "Allow ebs:StartSnapshot, PutSnapshotBlock, CompleteSnapshot, ListSnapshotBlocks, ListChangedBlocks and GetSnapshotBlock in the policy of the key or role, and its use of the snapshot's KMS key",
  UNAUTHORIZED_ACCOUNT:
    "The EBS direct APIs read snapshots of this account and such as are shared with it, but no public ones: copy it first with: aws ec2 copy-snapshot",
  InvalidSignatureException: "Check the secret key and the clock of this host",
  ExpiredTokenException: "The credentials have expired: renew them and run the command again",
  UnrecognizedClientException: "Check the access key and the session token",
  ConcurrentLimitExceededException:
    "The account has as many pending snapshots as it may have (100): wait for other uploads to end, or remove what dead ones left with: amibake clean",
  AttachmentLimitExceeded:
    "The instance has as many volumes attached as its type allows: wait for other builds to end, run fewer at once (-parallel-builds), or use a larger instance type",
  "InvalidSnapshot.NotFound":
    "The snapshot of the source image was deleted, or is not shared with this account: choose another source image, or ask its owner to share the snapshot",
  ECONNREFUSED: "Check that the endpoint runs: AWS_ENDPOINT_URL, custom_endpoint_ec2, or amibake local status",
  CredentialsProviderError: "The credentials could not be renewed: check the profile and its role, or sign in again",
  ENOTFOUND: "Check the region's name and this host's DNS",
};
