import { once } from "node:events";
import { open, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { basename, dirname } from "node:path";
import { listenOnSocket, SOCKET_PATH_BYTES_MAX } from "../../linux/daemons/control-socket.ts";
import { ByteReader } from "./byte-reader.ts";
import type { NbdExport } from "./nbd-export.ts";
import { negotiate } from "./negotiate.ts";
import { serveRequests } from "./serve-requests.ts";

export interface NbdServer extends AsyncDisposable {
  /** As any process of this user reaches it. */
  readonly socketPath: string;
  /** Serves a disk under this name until it is disposed of; its connections are then closed. */
  add(name: string, disk: NbdExport): ServedDisk;
}

export interface ServedDisk extends Disposable {
  /** Resolves when no client has it open, or the signal is aborted. */
  unused(signal: AbortSignal): Promise<void>;
}

/**
 * Serves disks as NBD on a unix socket that only this user can connect to. The caller holds the lock of whoever may
 * listen there.
 */
export async function serveNbd(
  socketPath: string,
  report: (message: string, error: unknown) => void,
): Promise<NbdServer> {
  const exports = new Map<string, NbdExport>();
  const connections = new Map<Socket, NbdExport | undefined>();
  const server = createServer((socket) => {
    connections.set(socket, undefined);
    // A client that was killed, or hangs up on an answer.
    socket.on("error", () => {});
    socket.once("close", () => connections.delete(socket));
    serveConnection(socket).catch((error: unknown) => {
      // A bug of ours. The other connections go on.
      report("Cannot serve an NBD client", error);
      socket.destroy();
    });
  });

  const serveConnection = async (socket: Socket): Promise<void> => {
    const reader = new ByteReader(socket);
    const session = await negotiate(exports, reader, socket);
    // It may have gone in the moment it was chosen.
    if (session !== undefined && [...exports.values()].includes(session.disk)) {
      connections.set(socket, session.disk);
      await serveRequests(session, reader, socket);
    }
    socket.destroySoon();
  };

  await listenOnSocket(server, socketPath);
  // Clients are programs that know of no way around the limit.
  const isTooLong = Buffer.byteLength(socketPath) > SOCKET_PATH_BYTES_MAX;
  const directory = isTooLong ? await open(dirname(socketPath), "r") : undefined;
  return {
    socketPath:
      directory === undefined ? socketPath : `/proc/${process.pid}/fd/${directory.fd}/${basename(socketPath)}`,
    add(name, disk) {
      exports.set(name, disk);
      const usersOf = () => [...connections].filter(([, used]) => used === disk).map(([socket]) => socket);
      return {
        async unused(signal) {
          for (let [user] = usersOf(); user !== undefined && !signal.aborted; [user] = usersOf()) {
            // It rejects if the signal is aborted.
            await once(user, "close", { signal }).catch(() => {});
          }
        },
        [Symbol.dispose]() {
          exports.delete(name);
          for (const socket of usersOf()) socket.destroy();
        },
      };
    },
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of connections.keys()) socket.destroy();
      await closed;
      await directory?.close();
      await rm(socketPath, { force: true });
    },
  };
}
