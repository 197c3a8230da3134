import { randomBytes } from "node:crypto";
import type { Cloud } from "../operations/cloud.ts";
import { metadata } from "./metadata.ts";

export interface ImdsRequest {
  readonly method: string;
  /** The path without the query string. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

export interface ImdsAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

// "Valid values: 1 … 21600 seconds" (EC2 User Guide, "Use IMDSv2").
const TTL_SECONDS_MAX = 21_600;
const TOKEN_HEADER = "x-aws-ec2-metadata-token";
const TTL_HEADER = "x-aws-ec2-metadata-token-ttl-seconds";

/** IMDS versions 1 and 2. Tokens live as long as the process, as they live as long as an instance's boot. */
export class ImdsService {
  readonly #cloud: Cloud;
  readonly #isTokenRequired: boolean;
  readonly #expiryMsByToken = new Map<string, number>();

  constructor(cloud: Cloud, isTokenRequired: boolean) {
    this.#cloud = cloud;
    this.#isTokenRequired = isTokenRequired;
  }

  async serve({ method, path, headers }: ImdsRequest): Promise<ImdsAnswer> {
    if (path === "/latest/api/token") return method === "PUT" ? this.#issueToken(headers) : failure(405);
    if (method !== "GET" && method !== "HEAD") return failure(405);
    if (!this.#isAllowed(headers[TOKEN_HEADER])) return failure(401);
    // "latest" or a date; every version says the same here.
    const [, version = "", rest = ""] = /^\/([^/]*)\/?(.*)$/.exec(path) ?? [];
    if (version !== "latest" && !/^\d{4}-\d\d-\d\d$/.test(version)) return failure(404);
    const body = await metadata(this.#cloud, rest.replace(/\/{2,}/g, "/"));
    return body === undefined ? failure(404) : { status: 200, headers: { "content-type": "text/plain" }, body };
  }

  #issueToken(headers: ImdsRequest["headers"]): ImdsAnswer {
    // "not allowed … if the request contains an X-Forwarded-For header": somebody else's proxy asks.
    if (headers["x-forwarded-for"] !== undefined) return failure(403);
    const asked = headers[TTL_HEADER];
    if (asked === undefined || !/^\d{1,5}$/.test(asked)) return failure(400);
    const ttlSeconds = Number(asked);
    if (ttlSeconds < 1 || ttlSeconds > TTL_SECONDS_MAX) return failure(400);
    const token = randomBytes(42).toString("base64url");
    this.#forgetExpired();
    this.#expiryMsByToken.set(token, this.#cloud.clock.now() + ttlSeconds * 1000);
    return { status: 200, headers: { "content-type": "text/plain", [TTL_HEADER]: asked }, body: token };
  }

  #isAllowed(token: string | undefined): boolean {
    if (token === undefined) return !this.#isTokenRequired;
    return (this.#expiryMsByToken.get(token) ?? 0) > this.#cloud.clock.now();
  }

  #forgetExpired(): void {
    const nowMs = this.#cloud.clock.now();
    for (const [token, expiryMs] of this.#expiryMsByToken) {
      if (expiryMs <= nowMs) this.#expiryMsByToken.delete(token);
    }
  }
}

const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
};

/** IMDS answers with a small XHTML page; clients look at the status only. */
function failure(status: number): ImdsAnswer {
  const title = `${status} - ${REASONS[status]}`;
  const body = `<?xml version="1.0" encoding="iso-8859-1"?>
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>${title}</title>
 </head>
 <body>
  <h1>${title}</h1>
 </body>
</html>
`;
  return { status, headers: { "content-type": "text/html" }, body };
}
