import { messageOf, ToolError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import type { DataAnswer } from "../../template/data-sources.ts";
import type { HttpDataConfig } from "../../template/schema/data-sources/http.ts";

const DEADLINE_MS = 30_000;
// What a template can use of it is text.
const BODY_BYTES_MAX = 4 * 1024 ** 2;

/**
 * Asks for a URL of `data "http"`.
 *
 * @throws {ToolError} if there is no answer, or none of success; the signal's reason.
 */
export async function fetchUrl(config: HttpDataConfig, signal: AbortSignal): Promise<DataAnswer> {
  const { url, method, request_headers: headers, request_body: body } = config;
  const { target, authorization, secrets } = splitCredentials(url);
  try {
    const response = await fetch(target, {
      method,
      headers: { ...authorization, ...headers },
      signal: AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]),
      ...(body === undefined ? {} : { body }),
    });
    const text = await readBody(response);
    if (response.status >= 400) throw new Error(`the answer is ${response.status} ${response.statusText}`.trim());
    return { outputs: { url, body: text, request_headers: Object.fromEntries(response.headers) }, secrets };
  } catch (error) {
    signal.throwIfAborted();
    throw new ToolError("ERR_DATA_SOURCE", `Cannot ${method} "${target}": ${reasonOf(error)}`, {
      fault: "usage",
    });
  }
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let byteCount = 0;
  for await (const chunk of response.body ?? []) {
    byteCount += chunk.byteLength;
    if (byteCount > BODY_BYTES_MAX) throw new Error(`the answer is longer than ${formatBytes(BODY_BYTES_MAX)}`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** fetch() says "fetch failed"; why is in the cause. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${DEADLINE_MS / 1000} s`;
  const reason = messageOf(error instanceof TypeError && error.cause !== undefined ? error.cause : error);
  // The Fetch standard's: https://fetch.spec.whatwg.org/#port-blocking
  return reason === "bad port" ? "Node.js asks nothing of this port, as browsers do: it is another service's" : reason;
}

/** fetch() takes no name and password in a URL. */
function splitCredentials(text: string) {
  if (!URL.canParse(text)) return { target: text, authorization: {}, secrets: [] };
  const url = new URL(text);
  const [username, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  if (username === "" && password === "") return { target: text, authorization: {}, secrets: [] };
  const authorization = { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` };
  return { target: Object.assign(url, { username: "", password: "" }).href, authorization, secrets: [password] };
}
