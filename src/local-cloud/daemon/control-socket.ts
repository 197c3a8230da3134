import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { connect, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemCode } from "../../base/errors.ts";

const SOCKET_NAME = "control.sock";

export function controlSocketPath(storeDirectory: string): string {
  return join(storeDirectory, SOCKET_NAME);
}

// sun_path has 108 bytes, its end included (unix(7)).
const PATH_BYTES_MAX = 107;

/** Connects to a store's daemon. @throws a system error, ENOENT or ECONNREFUSED, if there is none. */
export async function connectToDaemon(storeDirectory: string): Promise<Socket> {
  await using address = await socketAddress(storeDirectory);
  const socket = connect({ path: address.path });
  await once(socket, "connect");
  return socket;
}

export async function listenForClients(server: Server, storeDirectory: string): Promise<void> {
  await using address = await socketAddress(storeDirectory);
  server.listen(address.path);
  await once(server, "listening");
}

/** The socket's path, or for a store that lies too deep, one through an open directory. */
async function socketAddress(storeDirectory: string): Promise<{ path: string } & AsyncDisposable> {
  const path = controlSocketPath(storeDirectory);
  let directory: FileHandle | undefined;
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) directory = await open(storeDirectory, "r");
  return {
    path: directory === undefined ? path : `/proc/self/fd/${directory.fd}/${SOCKET_NAME}`,
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
