import { connect, isIP, type OnReadOpts, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions as TlsConnectionOptions } from "node:tls";
import { type HttpResponse, HttpResponseReader } from "./http-response-reader.ts";

export interface HttpExchange {
  /** Request line and headers, with the empty line behind them. */
  readonly head: string;
  readonly body?: Uint8Array | undefined;
  /** Where the body of an answer of success goes. */
  readonly target?: Uint8Array | undefined;
}

export interface ConnectionOptions {
  readonly endpoint: URL;
  /** For the bytes of one read. Many connections may share it: nothing is left in it between two events. */
  readonly readBuffer: Uint8Array;
  /** Called once, when the connection can be used no more. */
  readonly onClose: (connection: HttpConnection) => void;
}

interface Exchange {
  readonly reader: HttpResponseReader;
  readonly settle: (outcome: HttpResponse | Error) => void;
}

/** One connection, for one request at a time. */
export class HttpConnection {
  readonly #socket: Socket;
  #exchange: Exchange | undefined;
  /** Why it ended, where something says so. */
  #error: Error | undefined;
  #isOpen = true;

  constructor({ endpoint, readBuffer, onClose }: ConnectionOptions) {
    this.#socket = openSocket(endpoint, {
      buffer: readBuffer,
      callback: (byteCount, buffer) => {
        this.#read(Buffer.from(buffer.buffer, buffer.byteOffset, byteCount));
        return true;
      },
    });
    this.#socket.setNoDelay(true);
    this.#socket.on("error", (error) => {
      this.#error ??= error;
    });
    this.#socket.once("end", () => this.#settle(this.#exchange?.reader.end()));
    this.#socket.once("close", () => {
      this.#isOpen = false;
      this.#settle(this.#error ?? brokenOff());
      onClose(this);
    });
  }

  /** Whether a request can be sent. */
  get isIdle(): boolean {
    return this.#isOpen && this.#exchange === undefined && !this.#socket.destroyed;
  }

  /**
   * Sends a request. When it has ended, in whatever way, its memory is the caller's again.
   *
   * @throws the connection's error; the signal's reason.
   */
  async send({ head, body, target }: HttpExchange, signal: AbortSignal): Promise<HttpResponse> {
    signal.throwIfAborted();
    const stop = () => this.close();
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#exchange = {
          reader: new HttpResponseReader(target),
          settle: (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)),
        };
        this.#socket.cork();
        this.#socket.write(head, "latin1");
        if (body !== undefined) this.#socket.write(body);
        this.#socket.uncork();
      });
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  close(): void {
    this.#isOpen = false;
    this.#socket.destroy();
  }

  #read(piece: Buffer): void {
    try {
      if (this.#exchange === undefined) throw new Error("the server speaks without being asked");
      this.#settle(this.#exchange.reader.push(piece));
    } catch (error) {
      this.#error ??= error as Error;
      this.close();
    }
  }

  #settle(outcome: HttpResponse | Error | undefined): void {
    if (outcome === undefined || this.#exchange === undefined) return;
    const { settle } = this.#exchange;
    this.#exchange = undefined;
    // An answer that came before all was sent: what is left of the body must not be sent after it has changed.
    const isClean = !(outcome instanceof Error) && outcome.isReusable && this.#socket.writableLength === 0;
    if (!isClean) this.close();
    settle(outcome);
  }
}

function openSocket(endpoint: URL, onread: OnReadOpts): Socket {
  const host = endpoint.hostname.replace(/^\[|\]$/g, "");
  const port = Number(endpoint.port);
  if (endpoint.protocol !== "https:") return connect({ host, port: port || 80, onread });
  const servername = isIP(host) === 0 ? host : undefined;
  // `onread` is missing in the types of Node 20.
  const options: TlsConnectionOptions & { onread: OnReadOpts } = { host, port: port || 443, servername, onread };
  return connectTls({ ...options, ALPNProtocols: ["http/1.1"] });
}

/** As the system calls it when the other side tells. */
function brokenOff(): Error {
  return Object.assign(new Error("the connection ended before the answer did"), { code: "ECONNRESET" });
}
