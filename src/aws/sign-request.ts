import { createHash, createHmac } from "node:crypto";
import type { Credentials } from "./credentials.ts";

export interface UnsignedRequest {
  readonly method: "GET" | "PUT" | "POST";
  /** Of a POST, which is signed with it. */
  readonly body?: Uint8Array;
  /** Of unreserved characters and slashes, and so the same in every encoding. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface SignedRequest {
  /** As they have to be sent. */
  readonly pathAndQuery: string;
  readonly headers: Readonly<Record<string, string>>;
}

const ALGORITHM = "AWS4-HMAC-SHA256";
// SHA-256 of nothing.
const EMPTY_HASH = createHash("sha256").digest("hex");
const UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD";

/**
 * Signs by Signature Version 4, as headers. Of what moves blocks the body is left out of it: the SDK would hash each block a
 * second time. Of a block the checksum is signed, as a header.
 */
export class RequestSigner {
  readonly #host: string;
  readonly #region: string;
  readonly #service: string;
  /** The same for a whole day. */
  #key: { readonly of: string; readonly bytes: Buffer } | undefined;

  constructor({ host, region, service }: { host: string; region: string; service: string }) {
    this.#host = host;
    this.#region = region;
    this.#service = service;
  }

  sign(request: UnsignedRequest, credentials: Credentials, nowMs: number): SignedRequest {
    const timestamp = new Date(nowMs).toISOString().replace(/[-:]|\.\d+/g, "");
    const scope = `${timestamp.slice(0, 8)}/${this.#region}/${this.#service}/aws4_request`;
    const payloadHash = payloadHashOf(request);
    const query = canonicalQuery(request.query);
    const headers: Record<string, string> = {
      ...request.headers,
      host: this.#host,
      "x-amz-content-sha256": payloadHash,
      "x-amz-date": timestamp,
    };
    if (credentials.sessionToken !== undefined) headers["x-amz-security-token"] = credentials.sessionToken;
    const names = Object.keys(headers).sort();
    const signedHeaders = names.join(";");
    const canonicalHeaders = names.map((name) => `${name}:${headers[name]}\n`).join("");
    const canonicalRequest = `${request.method}\n${request.path}\n${query}\n${canonicalHeaders}\n${signedHeaders}\n${payloadHash}`;
    const requestHash = createHash("sha256").update(canonicalRequest).digest("hex");
    const signature = createHmac("sha256", this.#signingKey(scope, credentials.secretAccessKey))
      .update(`${ALGORITHM}\n${timestamp}\n${scope}\n${requestHash}`)
      .digest("hex");
    headers["authorization"] =
      `${ALGORITHM} Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
    return { pathAndQuery: query === "" ? request.path : `${request.path}?${query}`, headers };
  }

  #signingKey(scope: string, secretAccessKey: string): Buffer {
    const of = `${scope} ${secretAccessKey}`;
    if (this.#key?.of !== of) this.#key = { of, bytes: signingKey(scope, secretAccessKey) };
    return this.#key.bytes;
  }
}

function payloadHashOf({ method, body }: UnsignedRequest): string {
  if (method === "PUT") return UNSIGNED_PAYLOAD;
  return body === undefined ? EMPTY_HASH : createHash("sha256").update(body).digest("hex");
}

function signingKey(scope: string, secretAccessKey: string): Buffer {
  return scope
    .split("/")
    .reduce((key, part) => createHmac("sha256", key).update(part).digest(), Buffer.from(`AWS4${secretAccessKey}`));
}

function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.keys(query)
    .sort()
    .map((name) => `${encode(name)}=${encode(query[name] ?? "")}`)
    .join("&");
}

/** RFC 3986: everything but the unreserved characters. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
