import type { Socket } from "node:net";
import { systemCode } from "../../base/errors.ts";
import { connectToSocket } from "./control-socket.ts";

/** A connection that keeps a daemon running for as long as it is open. */
export interface DaemonConnection {
  readonly socket: Socket;
  /** Resolves when the daemon's end of the connection is closed: it was told to stop, or has died. */
  readonly ended: Promise<void>;
  /** Says that we are done. The last client of an ephemeral daemon thereby waits until that has ended. */
  leave(): Promise<void>;
  /** Says that we are done, and waits for nothing. */
  part(): void;
}

// A daemon that ends with its last client gives back devices first; a hung one must not hang its client.
const LEAVE_DEADLINE_MS = 15_000;

/** @returns undefined if no daemon listens there. @throws a system error: EACCES if it is another user's. */
export async function connectToDaemon(socketPath: string): Promise<DaemonConnection | undefined> {
  let socket: Socket;
  try {
    socket = await connectToSocket(socketPath);
  } catch (error) {
    // ECONNREFUSED: its daemon was killed. ENOTDIR: the directory is to be made.
    if (["ENOENT", "ENOTDIR", "ECONNREFUSED", "ECONNRESET"].includes(systemCode(error) ?? "")) return undefined;
    throw error;
  }
  // What goes wrong with the connection ends the reading, which tells enough.
  socket.on("error", () => {});
  // Not events.once(): that rejects for an error, which "close" follows anyway.
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return { socket, ended, leave: () => leave(socket, ended), part: () => socket.destroySoon() };
}

async function leave(socket: Socket, ended: Promise<void>): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), LEAVE_DEADLINE_MS);
  socket.end();
  socket.resume();
  await ended;
  clearTimeout(timer);
}
