import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** What a signature is computed over. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query string as they came over the wire. */
  readonly target: string;
  /** Lower-case names; repeated headers joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** SHA-256 of the body in hexadecimal, or "UNSIGNED-PAYLOAD". */
  readonly payloadHash: string;
}

/** A signature as the request claims it: nothing in it has been checked. */
export interface ClaimedSignature {
  readonly accessKeyId: string;
  /** "20261123" */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** "20261123T102030Z" */
  readonly timestamp: string;
  readonly sessionToken: string | undefined;
  /** Seconds a presigned request is good for; undefined for one signed in its header. */
  readonly expiresSeconds: number | undefined;
}

export type SignatureProblem = "incomplete" | "expired" | "wrong";

const ALGORITHM = "AWS4-HMAC-SHA256";
/** How far the clocks may be apart, in milliseconds. AWS allows 15 minutes. */
const SKEW_MS = 15 * 60_000;
const EXPIRES_SECONDS_MAX = 604_800;

/** @returns "missing" if the request is not signed at all. */
export function claimedSignature(
  request: Pick<SignedRequest, "target" | "headers">,
): ClaimedSignature | "missing" | "incomplete" {
  const query = new URLSearchParams(queryString(request.target));
  if (query.has("X-Amz-Signature") || query.has("X-Amz-Algorithm")) return presignedClaim(query);
  const authorization = request.headers["authorization"];
  if (authorization === undefined) return "missing";
  return headerClaim(authorization, request.headers);
}

/** @returns undefined if the signature is right. */
export function signatureProblem(
  request: SignedRequest,
  claim: ClaimedSignature,
  secretAccessKey: string,
  nowMs: number,
): SignatureProblem | undefined {
  const signedAtMs = parseTimestamp(claim.timestamp);
  if (signedAtMs === undefined || !claim.timestamp.startsWith(claim.date)) return "incomplete";
  if (!claim.signedHeaders.includes("host")) return "incomplete";
  const lifetimeMs = claim.expiresSeconds === undefined ? SKEW_MS : claim.expiresSeconds * 1000;
  if (nowMs > signedAtMs + lifetimeMs || nowMs < signedAtMs - SKEW_MS) return "expired";
  const expected = hmac(signingKey(secretAccessKey, claim), stringToSign(request, claim));
  const given = Buffer.from(claim.signature, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected) ? undefined : "wrong";
}

function headerClaim(authorization: string, headers: SignedRequest["headers"]): ClaimedSignature | "incomplete" {
  const [algorithm, ...rest] = authorization.trim().split(/\s+/);
  if (algorithm !== ALGORITHM) return "incomplete";
  const fields = new Map(
    rest
      .join("")
      .split(",")
      .map((field): [string, string] => {
        const equals = field.indexOf("=");
        return [field.slice(0, equals), field.slice(equals + 1)];
      }),
  );
  return claim({
    credential: fields.get("Credential"),
    signedHeaders: fields.get("SignedHeaders"),
    signature: fields.get("Signature"),
    timestamp: headers["x-amz-date"],
    sessionToken: headers["x-amz-security-token"],
    expires: undefined,
  });
}

function presignedClaim(query: URLSearchParams): ClaimedSignature | "incomplete" {
  if (query.get("X-Amz-Algorithm") !== ALGORITHM) return "incomplete";
  const expires = query.get("X-Amz-Expires") ?? "";
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > EXPIRES_SECONDS_MAX) return "incomplete";
  return claim({
    credential: query.get("X-Amz-Credential") ?? undefined,
    signedHeaders: query.get("X-Amz-SignedHeaders") ?? undefined,
    signature: query.get("X-Amz-Signature") ?? undefined,
    timestamp: query.get("X-Amz-Date") ?? undefined,
    sessionToken: query.get("X-Amz-Security-Token") ?? undefined,
    expires: Number(expires),
  });
}

function claim(parts: {
  credential: string | undefined;
  signedHeaders: string | undefined;
  signature: string | undefined;
  timestamp: string | undefined;
  sessionToken: string | undefined;
  expires: number | undefined;
}): ClaimedSignature | "incomplete" {
  const { credential, signedHeaders, signature, timestamp } = parts;
  if (!credential || !signedHeaders || !signature || !timestamp) return "incomplete";
  const [accessKeyId, date, region, service, terminator, ...rest] = credential.split("/");
  if (!accessKeyId || !date || !region || !service || terminator !== "aws4_request" || rest.length > 0) {
    return "incomplete";
  }
  return {
    accessKeyId,
    date,
    region,
    service,
    signedHeaders: signedHeaders.split(";"),
    signature,
    timestamp,
    sessionToken: parts.sessionToken,
    expiresSeconds: parts.expires,
  };
}

function stringToSign(
  request: SignedRequest,
  { timestamp, date, region, service, signedHeaders }: ClaimedSignature,
): string {
  const scope = `${date}/${region}/${service}/aws4_request`;
  const canonicalRequest = [
    request.method,
    canonicalPath(request.target),
    canonicalQuery(queryString(request.target)),
    ...signedHeaders.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    signedHeaders.join(";"),
    request.payloadHash,
  ].join("\n");
  return [ALGORITHM, timestamp, scope, sha256Hex(Buffer.from(canonicalRequest))].join("\n");
}

/** Keys that were derived lately: one is good for a day, and most requests have the same. */
const recentKeys = new Map<string, Buffer>();
const RECENT_KEYS_MAX = 16;

function signingKey(secretAccessKey: string, { date, region, service }: ClaimedSignature): Buffer {
  const name = [secretAccessKey, date, region, service].join(" ");
  const known = recentKeys.get(name);
  if (known !== undefined) return known;
  const key = [date, region, service, "aws4_request"].reduce(hmac, Buffer.from(`AWS4${secretAccessKey}`));
  if (recentKeys.size === RECENT_KEYS_MAX) recentKeys.clear();
  recentKeys.set(name, key);
  return key;
}

/** Every segment encoded once more: all services but S3 sign the path so. */
function canonicalPath(target: string): string {
  const path = target.split("?", 1)[0] || "/";
  return path.split("/").map(encode).join("/");
}

function canonicalQuery(query: string): string {
  return query
    .split("&")
    .filter((pair) => pair !== "" && !pair.startsWith("X-Amz-Signature="))
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals < 0 ? pair : pair.slice(0, equals);
      const value = equals < 0 ? "" : pair.slice(equals + 1);
      return [encode(decode(name)), encode(decode(value))] as const;
    })
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join("&");
}

function queryString(target: string): string {
  const question = target.indexOf("?");
  return question < 0 ? "" : target.slice(question + 1);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    // Not percent-encoded at all: it can only fail to match.
    return text;
  }
}

/** RFC 3986: everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function parseTimestamp(timestamp: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const parsed = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(parsed) ? undefined : parsed;
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
