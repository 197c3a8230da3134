import { setMaxListeners } from "node:events";
import { rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { listenOnSocket } from "./control-socket.ts";

/** The clients of a daemon, each a connection that stays for as long as the client needs the daemon. */
export interface ClientServer extends AsyncDisposable {
  clientCount(): number;
  /** Takes no more clients if there is none now. @returns whether that is so. */
  endIfUnused(): boolean;
  /** Lets this process end: those who wait for it see their connections close only then, unless that is now. */
  releaseWaiting(options?: { readonly isNow: boolean }): void;
}

export interface ServeClientsOptions {
  readonly socketPath: string;
  /**
   * Serves one client. Resolves, and never rejects, when the client is done or gone and everything that it asked for
   * has ended.
   *
   * @param closing aborted when the daemon ends: then it ends as if the client had gone.
   */
  readonly serve: (socket: Socket, closing: AbortSignal) => Promise<void>;
  /** Tells whether the daemon ends now; that client then waits for the end of the process. */
  readonly onLastClientGone: () => boolean;
}

/**
 * Takes clients on a unix socket. The caller holds the lock of the daemon.
 *
 * Disposing of it takes no more clients and ends what they asked for.
 */
export async function serveClients({
  socketPath,
  serve,
  onLastClientGone,
}: ServeClientsOptions): Promise<ClientServer> {
  const clients = new Set<Promise<void>>();
  const waiting = new Set<Socket>();
  const closing = new AbortController();
  // Each client listens to it.
  setMaxListeners(0, closing.signal);
  let isEnding = false;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    // Answered, it would count on a daemon that is going; unanswered, it looks for the next one.
    if (isEnding) return void socket.destroy();
    // ECONNRESET: the client was killed, which is the same as its end.
    socket.on("error", () => {});
    const gone = serve(socket, closing.signal);
    clients.add(gone);
    void gone.then(() => {
      clients.delete(gone);
      if (clients.size === 0 && onLastClientGone()) isEnding = true;
      if (isEnding) waiting.add(socket);
      else socket.end();
      socket.resume();
    });
  });
  await listenOnSocket(server, socketPath);
  return {
    clientCount: () => clients.size,
    endIfUnused: () => {
      if (clients.size === 0) isEnding = true;
      return isEnding;
    },
    releaseWaiting: ({ isNow } = { isNow: false }) => {
      for (const socket of waiting) {
        if (isNow) socket.destroy();
        else socket.unref();
      }
    },
    async [Symbol.asyncDispose]() {
      isEnding = true;
      server.close();
      await rm(socketPath, { force: true });
      closing.abort();
      await Promise.all(clients);
    },
  };
}

// An ephemeral daemon whose starter was killed must not stay for ever.
const FIRST_CLIENT_DEADLINE_MS = 20_000;

/** Ends an ephemeral daemon that nobody comes to use. */
export function endUnlessUsed(server: ClientServer, requestEnd: () => void): Disposable {
  const timer = setTimeout(() => {
    if (server.endIfUnused()) requestEnd();
  }, FIRST_CLIENT_DEADLINE_MS);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
