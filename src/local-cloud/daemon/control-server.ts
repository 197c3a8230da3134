import { chmod, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { messageOf, systemCode, ToolError } from "../../base/errors.ts";
import {
  encodeError,
  type Progress,
  type RequestMessage,
  type RequestName,
  type Requests,
} from "./control-protocol.ts";
import { controlSocketPath, listenForClients, readMessages, sendMessage } from "./control-socket.ts";

export interface RequestContext {
  /** Aborted when the client goes away or the daemon ends. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}

export type RequestHandlers = {
  readonly [Name in RequestName]: (
    parameters: Requests[Name]["parameters"],
    context: RequestContext,
  ) => Promise<Requests[Name]["result"]>;
};

export interface ControlServer extends AsyncDisposable {
  clientCount(): number;
  /** Takes no more clients if there is none now. @returns whether that is so. */
  endIfUnused(): boolean;
  /** Lets this process end: those who wait for it see their connections close only then. */
  releaseWaiting(): void;
}

/**
 * Serves the control socket of a store, whose lock the caller holds.
 *
 * Disposing of it takes no more clients and ends what they asked for.
 *
 * @param onLastClientGone tells whether the daemon ends now; that client then waits for the end of the process.
 */
export async function serveControl(
  storeDirectory: string,
  handlers: RequestHandlers,
  onLastClientGone: () => boolean,
): Promise<ControlServer> {
  const clients = new Set<Client>();
  const waiting = new Set<Socket>();
  let isEnding = false;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Answered, it would count on a daemon that is going; unanswered, it looks for the next one.
    if (isEnding) return void socket.destroy();
    const client = new Client(socket, handlers);
    clients.add(client);
    void client.gone.then(() => {
      clients.delete(client);
      if (clients.size === 0 && onLastClientGone()) isEnding = true;
      if (isEnding) waiting.add(socket);
      else socket.end();
      socket.resume();
    });
  });
  const path = controlSocketPath(storeDirectory);
  // Of a daemon that was killed: we hold the lock, so nobody listens there.
  await rm(path, { force: true });
  await listenForClients(server, storeDirectory);
  await chmod(path, 0o600);
  return {
    clientCount: () => clients.size,
    endIfUnused: () => {
      if (clients.size === 0) isEnding = true;
      return isEnding;
    },
    releaseWaiting: () => {
      for (const socket of waiting) socket.unref();
    },
    async [Symbol.asyncDispose]() {
      isEnding = true;
      server.close();
      await rm(path, { force: true });
      const ending = [...clients];
      for (const client of ending) client.abort();
      await Promise.all(ending.map(({ gone }) => gone));
    },
  };
}

/** One connection: a request, its answer, and the wait for the client's end. */
class Client {
  /** Resolves when the client is done or gone and its request has ended. */
  readonly gone: Promise<void>;
  readonly #socket: Socket;
  readonly #controller = new AbortController();
  readonly #closing = new AbortController();

  constructor(socket: Socket, handlers: RequestHandlers) {
    this.#socket = socket;
    // ECONNRESET: the client was killed, which is the same as its end.
    socket.on("error", () => {});
    this.gone = this.#serve(handlers);
  }

  /** Ends the request under way and goes on as if the client had gone. */
  abort(): void {
    this.#controller.abort(new ToolError("ERR_LOCAL_CLOUD_ENDED", "The local cloud was stopped meanwhile"));
    this.#closing.abort();
  }

  async #serve(handlers: RequestHandlers): Promise<void> {
    let answered: Promise<void> | undefined;
    try {
      for await (const message of readMessages(this.#socket, this.#closing.signal)) {
        // A second request on one connection is none of ours.
        answered ??= this.#answer(message, handlers);
      }
    } catch (error) {
      sendMessage(this.#socket, { error: { message: `Cannot read the request: ${messageOf(error)}` } });
    }
    this.#controller.abort(new Error("The client has gone"));
    await answered;
  }

  async #answer(message: unknown, handlers: RequestHandlers): Promise<void> {
    const { request, parameters } = message as RequestMessage;
    try {
      if (!Object.hasOwn(handlers, request)) throw unknownRequest(request);
      // Client and daemon are of one version; the parameters are what its own client sent.
      const handler = handlers[request as RequestName] as (a: unknown, context: RequestContext) => Promise<unknown>;
      const onProgress = (progress: Progress) => sendMessage(this.#socket, { progress });
      const result = await handler(parameters, { signal: this.#controller.signal, onProgress });
      sendMessage(this.#socket, { result });
    } catch (error) {
      sendMessage(this.#socket, { error: encodeError(systemError(error)) });
    }
  }
}

function unknownRequest(request: string): ToolError {
  return new ToolError("ERR_DAEMON_VERSION", `Cannot answer "${request}": this daemon is of another version`, {
    hint: "Start it again: amibake local stop && amibake local start",
    fault: "host",
  });
}

/** A full disk or a missing permission is the host's fault, not a bug of ours. */
function systemError(error: unknown): unknown {
  const code = systemCode(error);
  if (error instanceof ToolError || code === undefined || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new ToolError("ERR_SYSTEM", messageOf(error), { cause: error, fault: "host" });
}
