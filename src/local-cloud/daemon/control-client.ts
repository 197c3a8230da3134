import type { Socket } from "node:net";
import { decodeError } from "../../base/error-message.ts";
import { systemCode, ToolError } from "../../base/errors.ts";
import { readMessages, sendMessage } from "../../linux/daemons/control-socket.ts";
import { connectToDaemon, type DaemonConnection } from "../../linux/daemons/daemon-connection.ts";
import {
  type AnswerMessage,
  controlSocketPath,
  type Progress,
  type RequestName,
  type Requests,
} from "./control-protocol.ts";

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
  const connection = await connectIfRunning(storeDirectory);
  if (connection === undefined) return undefined;
  const { socket, ended, leave } = connection;
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
    return { result: answer.result as Requests[Name]["result"], ended, [Symbol.asyncDispose]: leave };
  } catch (error) {
    await leave();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
  }
}

async function connectIfRunning(storeDirectory: string): Promise<DaemonConnection | undefined> {
  try {
    return await connectToDaemon(controlSocketPath(storeDirectory));
  } catch (error) {
    if (systemCode(error) !== "EACCES") throw error;
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
