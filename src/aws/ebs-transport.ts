import { HttpConnection } from "./http-connection.ts";
import type { HttpResponse } from "./http-response-reader.ts";
import { Refusal } from "./refusal.ts";
import { markSent } from "./sent-requests.ts";
import type { SignedRequest } from "./sign-request.ts";

export interface BlockRequest extends SignedRequest {
  readonly method: "GET" | "PUT";
  readonly body?: Uint8Array;
  /** Where the body of the answer goes. */
  readonly target?: Uint8Array;
}

/** Moves the bytes of blocks to and from one endpoint, over connections that are kept. */
export interface EbsTransport extends Disposable {
  /** @throws what EBS refuses, in the shape of the SDK's exceptions; the connection's errors; the signal's reason. */
  send(request: BlockRequest, signal: AbortSignal): Promise<HttpResponse>;
}

// A block with the head of its answer, in one read.
const READ_BYTES = 524_288 + 4096;

/** As many connections are made as there are requests at once. */
export function openTransport(endpoint: URL): EbsTransport {
  const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);
  const all = new Set<HttpConnection>();
  /** The one that was used last is used next: the others may end. */
  const idle: HttpConnection[] = [];
  const onClose = (connection: HttpConnection) => {
    all.delete(connection);
    const position = idle.indexOf(connection);
    if (position >= 0) idle.splice(position, 1);
  };
  const open = () => {
    const connection = new HttpConnection({ endpoint, readBuffer, onClose });
    all.add(connection);
    return connection;
  };
  return {
    async send(request, signal) {
      markSent(signal);
      const connection = idle.pop() ?? open();
      try {
        const response = await connection.send({ ...request, head: headOf(request) }, signal);
        if (response.status < 200 || response.status > 299) throw new Refusal(response);
        return response;
      } finally {
        if (connection.isIdle) idle.push(connection);
      }
    },
    [Symbol.dispose]() {
      for (const connection of all) connection.close();
    },
  };
}

function headOf({ method, pathAndQuery, headers, body }: BlockRequest): string {
  let head = `${method} ${pathAndQuery} HTTP/1.1\r\n`;
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`;
  if (body !== undefined) head += `content-length: ${body.length}\r\n`;
  return `${head}\r\n`;
}
