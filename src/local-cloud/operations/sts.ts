import { randomBytes } from "node:crypto";
import { ApiError } from "../protocol/api-error.ts";
import type { XmlObject } from "../protocol/xml.ts";
import type { CredentialRecord } from "../state/records.ts";
import type { Call } from "./call.ts";
import type { Cloud } from "./cloud.ts";

/** AssumeRole, "DurationSeconds": 15 minutes to 12 hours, 1 hour by default; a chained role has at most 1 hour. */
const DURATION_SECONDS = { min: 900, max: 43_200, chainedMax: 3_600, default: 3_600 } as const;

export function getCallerIdentity({ caller }: Call): XmlObject {
  return { Arn: caller.arn, UserId: caller.userId, Account: caller.accountId };
}

/**
 * Gives credentials of any role of any account: every role here exists and trusts
 * everybody. That is how one gets a second account.
 */
export function assumeRole({ cloud, params, caller }: Call): XmlObject {
  const roleArn = requiredParameter(params.string("RoleArn"), "roleArn");
  const sessionName = requiredParameter(params.string("RoleSessionName"), "roleSessionName");
  const [, accountId, roleName] =
    /^arn:aws:iam::(\d{12}):role\/(?:[\w+=,.@/-]*\/)?([\w+=,.@-]{1,64})$/.exec(roleArn) ?? [];
  if (accountId === undefined || roleName === undefined) throw validationError(`${roleArn} is invalid`);
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
    throw validationError(
      `1 validation error detected: Value '${sessionName}' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*`,
    );
  }
  const durationSeconds = requestedDuration(params.integer("DurationSeconds"), caller);
  const session = newSession(cloud, { accountId, roleName, sessionName, durationSeconds });
  cloud.state.credentials.put(session.accessKeyId, session);
  return {
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: new Date(session.expiresAtMs ?? 0).toISOString(),
    },
  };
}

/** Credentials of a role. They start with letters that AWS does not use, so AWS can never accept them. */
export function newSession(
  { clock }: Pick<Cloud, "clock">,
  role: { accountId: string; roleName: string; sessionName: string; durationSeconds: number },
): CredentialRecord {
  const { accountId, roleName, sessionName, durationSeconds } = role;
  return {
    accessKeyId: newAccessKeyId("LSIA"),
    secretAccessKey: newSecret(),
    sessionToken: randomBytes(96).toString("base64"),
    accountId,
    arn: `arn:aws:sts::${accountId}:assumed-role/${roleName}/${sessionName}`,
    userId: `${newAccessKeyId("LROA")}:${sessionName}`,
    expiresAtMs: clock.now() + durationSeconds * 1000,
  };
}

export function newAccessKeyId(prefix: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  return prefix + [...randomBytes(16)].map((byte) => alphabet[byte % alphabet.length]).join("");
}

export function newSecret(): string {
  return randomBytes(30).toString("base64");
}

function requestedDuration(asked: number | undefined, caller: CredentialRecord): number {
  const durationSeconds = asked ?? DURATION_SECONDS.default;
  const { min, max, chainedMax } = DURATION_SECONDS;
  if (durationSeconds < min || durationSeconds > max) {
    const bound = durationSeconds < min ? `greater than or equal to ${min}` : `less than or equal to ${max}`;
    throw validationError(
      `1 validation error detected: Value '${durationSeconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value ${bound}`,
    );
  }
  if (caller.sessionToken !== undefined && durationSeconds > chainedMax) {
    throw validationError(
      "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
    );
  }
  return durationSeconds;
}

function requiredParameter(value: string | undefined, name: string): string {
  if (value !== undefined) return value;
  throw validationError(
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  );
}

function validationError(message: string): ApiError {
  return new ApiError("ValidationError", message);
}
