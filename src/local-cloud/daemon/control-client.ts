import type { Socket } from "node:net";
import { systemCode, ToolError } from "../../base/errors.ts";
import { type AnswerMessage, decodeError, type Progress, type RequestName, type Requests } from "./control-protocol.ts";
import { connectToDaemon, readMessages, sendMessage } from "./control-socket.ts";

/** An answered request. The daemon stays for as long as this is not disposed of. */
export interface Answer<Result> extends AsyncDisposable {
  readonly result: Result;
  /** Resolves when the daemon's end of the connection is closed: it was told to stop, or has died. */
  readonly ended: Promise<void>;
}

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Asks the daemon of a store.
 *
 * @returns undefined if no daemon runs, or one that was just ending and did not answer.
 * @throws what the daemon's work threw, or the signal's reason.
 */
export async function askDaemon<Name extends RequestName>(
  storeDirectory: string,
  request: Name,
  parameters: Requests[Name]["parameters"],
  options: RequestOptions = {},
): Promise<Answer<Requests[Name]["result"]> | undefined> {
  options.signal?.throwIfAborted();
  const socket = await connectIfRunning(storeDirectory);
  if (socket === undefined) return undefined;
  // What goes wrong with the connection ends the reading, which tells enough.
  socket.on("error", () => {});
  // Not events.once(): that rejects for an error, which "close" follows anyway.
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const onAbort = () => void socket.end();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    sendMessage(socket, { request, parameters });
    const answer = await readAnswer(socket, options);
    options.signal?.throwIfAborted();
    if (answer === undefined) {
      socket.destroy();
      return undefined;
    }
    if ("error" in answer) throw decodeError(answer.error);
    // Read on, so that the daemon's end is seen.
    socket.resume();
    const release = () => leave(socket, ended);
    return { result: answer.result as Requests[Name]["result"], ended, [Symbol.asyncDispose]: release };
  } catch (error) {
    await leave(socket, ended);
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
  }
}

async function connectIfRunning(storeDirectory: string): Promise<Socket | undefined> {
  try {
    return await connectToDaemon(storeDirectory);
  } catch (error) {
    const code = systemCode(error) ?? "";
    // ECONNREFUSED: its daemon was killed. ENOTDIR: the store is to be made.
    if (["ENOENT", "ENOTDIR", "ECONNREFUSED", "ECONNRESET"].includes(code)) return undefined;
    if (code !== "EACCES") throw error;
    throw new ToolError("ERR_STORE_ACCESS", `Cannot use the store "${storeDirectory}": it belongs to another user`, {
      cause: error,
      hint: "Run it as root, or choose another store with --store",
      fault: "host",
    });
  }
}

async function readAnswer(socket: Socket, options: RequestOptions) {
  for await (const message of readMessages(socket)) {
    const answer = message as AnswerMessage;
    if (!("progress" in answer)) return answer;
    options.onProgress?.(answer.progress);
  }
  return undefined;
}

// A daemon that ends with its last client gives back devices first; a hung one must not hang its client.
const LEAVE_DEADLINE_MS = 15_000;

/** Says that we are done. The last client of an ephemeral daemon thereby waits until that has ended. */
async function leave(socket: Socket, ended: Promise<void>): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), LEAVE_DEADLINE_MS);
  socket.end();
  socket.resume();
  await ended;
  clearTimeout(timer);
}
