import { createHash, createHmac } from "node:crypto";
import type { Credentials } from "./local-cloud-fixture.ts";

export interface SignedRequestOptions {
  readonly url: string;
  readonly credentials: Credentials;
  readonly service?: string;
  readonly region?: string;
  /** Milliseconds since the epoch. */
  readonly atMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Signs and posts a form: what the SDK cannot be made to send. */
export function postSigned(form: string, options: SignedRequestOptions): Promise<Response> {
  const headers = { "content-type": "application/x-www-form-urlencoded", ...options.headers };
  return sendSigned({ method: "POST", path: "/", body: form }, { ...options, headers });
}

export interface RawRequest {
  readonly method: string;
  /** As it goes over the wire: "/snapshots". */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** What the signature says of the body. @default its SHA-256 */
  readonly payloadHash?: string;
}

/**
 * Signs and sends a request.
 *
 * Written from the SigV4 page of the IAM User Guide, apart from the verifier it is used to test.
 */
export function sendSigned(request: RawRequest, options: SignedRequestOptions): Promise<Response> {
  const { credentials, service = "ec2", region = "us-east-1", atMs = Date.now() } = options;
  const { method, path, query = {}, body } = request;
  const timestamp = amzTimestamp(atMs);
  const headers: Record<string, string> = {
    host: new URL(options.url).host,
    "x-amz-date": timestamp,
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
    ...options.headers,
  };
  const names = Object.keys(headers).sort();
  const canonicalQuery = canonical(query);
  const canonicalRequest = [
    method,
    path,
    canonicalQuery,
    ...names.map((name) => `${name}:${headers[name]}`),
    "",
    names.join(";"),
    request.payloadHash ??
      createHash("sha256")
        .update(body ?? "")
        .digest("hex"),
  ].join("\n");
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const signature = sign(canonicalRequest, scope, timestamp, credentials.secretAccessKey);
  const authorization = `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  const { host: _host, ...sent } = headers;
  const url = `${options.url}${path}${canonicalQuery === "" ? "" : `?${canonicalQuery}`}`;
  return fetch(url, {
    method,
    headers: { ...sent, authorization },
    ...(body === undefined ? {} : { body }),
  });
}

/** A URL that carries its signature, good for `expiresSeconds`. */
export function presignedUrl(
  form: Readonly<Record<string, string>>,
  expiresSeconds: number,
  options: SignedRequestOptions,
): string {
  const { credentials, service = "ec2", region = "us-east-1", atMs = Date.now() } = options;
  const timestamp = amzTimestamp(atMs);
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const query = {
    ...form,
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${credentials.accessKeyId}/${scope}`,
    "X-Amz-Date": timestamp,
    "X-Amz-Expires": String(expiresSeconds),
    "X-Amz-SignedHeaders": "host",
    ...(credentials.sessionToken === undefined ? {} : { "X-Amz-Security-Token": credentials.sessionToken }),
  };
  const canonicalQuery = canonical(query);
  const host = new URL(options.url).host;
  const emptyHash = createHash("sha256").digest("hex");
  const canonicalRequest = ["GET", "/", canonicalQuery, `host:${host}`, "", "host", emptyHash].join("\n");
  const signature = sign(canonicalRequest, scope, timestamp, credentials.secretAccessKey);
  return `${options.url}/?${canonicalQuery}&X-Amz-Signature=${signature}`;
}

function canonical(query: Readonly<Record<string, string>>): string {
  const encode = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return Object.entries(query)
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
}

function sign(canonicalRequest: string, scope: string, timestamp: string, secretAccessKey: string): string {
  const hash = createHash("sha256").update(canonicalRequest).digest("hex");
  const hmac = (key: Buffer | string, text: string) => createHmac("sha256", key).update(text).digest();
  const key = scope.split("/").reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`);
  return hmac(key, ["AWS4-HMAC-SHA256", timestamp, scope, hash].join("\n")).toString("hex");
}

function amzTimestamp(atMs: number): string {
  return new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, "");
}
