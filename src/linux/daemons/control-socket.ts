import { once } from "node:events";
import { chmod, type FileHandle, open, rm } from "node:fs/promises";
import { connect, type Server, type Socket } from "node:net";
import { basename, dirname } from "node:path";
import { createInterface } from "node:readline";
import { systemCode } from "../../base/errors.ts";

// sun_path has 108 bytes, its end included (unix(7)).
export const SOCKET_PATH_BYTES_MAX = 107;

/** Connects to a unix socket. @throws a system error: ENOENT or ECONNREFUSED if nobody listens. */
export async function connectToSocket(path: string): Promise<Socket> {
  await using address = await socketAddress(path);
  const socket = connect({ path: address.path });
  await once(socket, "connect");
  return socket;
}

/**
 * Listens on a unix socket that only this user can connect to. The caller holds the lock of whoever may listen there:
 * what stands there is of a process that was killed, and is replaced.
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  await rm(path, { force: true });
  await using address = await socketAddress(path);
  server.listen(address.path);
  await once(server, "listening");
  await chmod(path, 0o600);
}

/** The socket's path, or for one that lies too deep, one through an open directory. */
async function socketAddress(path: string): Promise<{ path: string } & AsyncDisposable> {
  let directory: FileHandle | undefined;
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) directory = await open(dirname(path), "r");
  return {
    path: directory === undefined ? path : `/proc/self/fd/${directory.fd}/${basename(path)}`,
    [Symbol.asyncDispose]: async () => directory?.close(),
  };
}

export function sendMessage(socket: Socket, message: object): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/**
 * The messages that come, each a JSON value. Ends with the other side's end, also when the connection breaks, and when
 * the signal is aborted.
 */
export async function* readMessages(socket: Socket, signal?: AbortSignal): AsyncGenerator<unknown> {
  const lines = createInterface({ input: socket, ...(signal === undefined ? {} : { signal }) });
  try {
    for await (const line of lines) yield JSON.parse(line);
  } catch (error) {
    // ECONNRESET: a daemon that ends does not take the clients that are still in its queue.
    if (systemCode(error) === undefined) throw error;
  }
}
