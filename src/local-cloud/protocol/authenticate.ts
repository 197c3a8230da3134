import { timingSafeEqual } from "node:crypto";
import type { CredentialRecord } from "../state/records.ts";
import { ApiError } from "./api-error.ts";
import { type ClaimedSignature, claimedSignature, type SignedRequest, signatureProblem } from "./sigv4.ts";

export type Service = "ec2" | "sts" | "ebs";

export interface Authenticated {
  readonly caller: CredentialRecord;
  readonly region: string;
}

/** The service that a Query request was signed for; undefined if it is not signed for one of ours. */
export function signedService(request: SignedRequest): "ec2" | "sts" | undefined {
  const claim = claimedSignature(request);
  if (typeof claim === "string") return undefined;
  return claim.service === "ec2" || claim.service === "sts" ? claim.service : undefined;
}

/**
 * Checks who sent a request.
 *
 * @param findCredentials by access key id.
 * @throws {ApiError} as the service says it: EC2 tells less than STS.
 */
export function authenticate(
  request: SignedRequest,
  service: Service,
  findCredentials: (accessKeyId: string) => CredentialRecord | undefined,
  isRegion: (name: string) => boolean,
  nowMs: number,
): Authenticated {
  const errors = ERRORS[service];
  const claim = claimedSignature(request);
  if (claim === "missing") throw errors.missing();
  if (claim === "incomplete") throw errors.incomplete();
  if (claim.service !== service) throw errors.wrongScope(`correct service: '${service}'`);
  if (!isRegion(claim.region)) throw errors.wrongScope("a valid region");
  const caller = findCredentials(claim.accessKeyId);
  if (caller === undefined || !isSameToken(caller.sessionToken, claim.sessionToken)) throw errors.unknownKey();
  const problem = signatureProblem(request, claim, caller.secretAccessKey, nowMs);
  if (problem === "incomplete") throw errors.incomplete();
  if (problem === "expired") throw errors.expired(claim);
  if (problem === "wrong") throw errors.wrong();
  if (caller.expiresAtMs !== undefined && caller.expiresAtMs <= nowMs) throw errors.tokenExpired();
  return { caller, region: claim.region };
}

function isSameToken(expected: string | undefined, given: string | undefined): boolean {
  if (expected === undefined || given === undefined) return expected === given;
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** What a service answers to credentials whose time is over. */
export function credentialsExpired(service: Service): ApiError {
  return ERRORS[service].tokenExpired();
}

interface AuthenticationErrors {
  readonly missing: () => ApiError;
  readonly incomplete: () => ApiError;
  readonly wrongScope: (should: string) => ApiError;
  readonly unknownKey: () => ApiError;
  readonly expired: (claim: ClaimedSignature) => ApiError;
  readonly wrong: () => ApiError;
  readonly tokenExpired: () => ApiError;
}

const authFailure = () =>
  new ApiError("AuthFailure", "AWS was not able to validate the provided access credentials", 401);

/** EC2 API reference, "Error codes", client errors common to all actions. */
const EC2_ERRORS: AuthenticationErrors = {
  missing: () => new ApiError("MissingAuthenticationToken", "Request is missing Authentication Token", 403),
  incomplete: () => new ApiError("IncompleteSignature", "The request signature does not conform to AWS standards."),
  wrongScope: authFailure,
  unknownKey: authFailure,
  expired: () => new ApiError("RequestExpired", "Request has expired."),
  wrong: authFailure,
  tokenExpired: () => new ApiError("RequestExpired", "Request has expired."),
};

/** STS API reference, "Common errors"; the sentences are those that the service answers with. */
const STS_ERRORS: AuthenticationErrors = {
  missing: () => new ApiError("MissingAuthenticationToken", "Request is missing Authentication Token", 403),
  incomplete: () =>
    new ApiError("IncompleteSignature", "The request signature does not conform to AWS standards.", 400),
  wrongScope: (should) => new ApiError("SignatureDoesNotMatch", `Credential should be scoped to ${should}.`, 403),
  unknownKey: () => new ApiError("InvalidClientTokenId", "The security token included in the request is invalid.", 403),
  expired: ({ timestamp }) =>
    new ApiError("SignatureDoesNotMatch", `Signature expired: ${timestamp} is out of range`, 403),
  wrong: () =>
    new ApiError(
      "SignatureDoesNotMatch",
      "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
      403,
    ),
  tokenExpired: () => new ApiError("ExpiredToken", "The security token included in the request is expired", 403),
};

/** As AWS's services with a REST or JSON protocol say it: "Common errors" of the EBS direct APIs' reference. */
const EBS_ERRORS: AuthenticationErrors = {
  missing: () => new ApiError("MissingAuthenticationTokenException", "Missing Authentication Token", 403),
  incomplete: () =>
    new ApiError("IncompleteSignatureException", "The request signature does not conform to AWS standards.", 403),
  wrongScope: (should) => new ApiError("InvalidSignatureException", `Credential should be scoped to ${should}.`, 403),
  unknownKey: () =>
    new ApiError("UnrecognizedClientException", "The security token included in the request is invalid.", 403),
  expired: ({ timestamp }) =>
    new ApiError("InvalidSignatureException", `Signature expired: ${timestamp} is out of range`, 403),
  wrong: () => new ApiError("InvalidSignatureException", STS_ERRORS.wrong().message, 403),
  tokenExpired: () =>
    new ApiError("ExpiredTokenException", "The security token included in the request is expired", 403),
};

const ERRORS: Readonly<Record<Service, AuthenticationErrors>> = { ec2: EC2_ERRORS, sts: STS_ERRORS, ebs: EBS_ERRORS };
