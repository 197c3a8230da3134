import type { Socket } from "node:net";
import { encodeError } from "../../base/error-message.ts";
import { messageOf, systemCode, ToolError } from "../../base/errors.ts";
import { readMessages, sendMessage } from "../../linux/daemons/control-socket.ts";
import { type ClientServer, serveClients } from "../../linux/daemons/serve-clients.ts";
import {
  controlSocketPath,
  type Progress,
  type RequestMessage,
  type RequestName,
  type Requests,
} from "./control-protocol.ts";

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

/**
 * Serves the control socket of a store, whose lock the caller holds.
 *
 * @param onLastClientGone tells whether the daemon ends now; that client then waits for the end of the process.
 */
export function serveControl(
  storeDirectory: string,
  handlers: RequestHandlers,
  onLastClientGone: () => boolean,
): Promise<ClientServer> {
  const serve = (socket: Socket, closing: AbortSignal) => serveClient(socket, handlers, closing);
  return serveClients({ socketPath: controlSocketPath(storeDirectory), serve, onLastClientGone });
}

/** One connection: a request, its answer, and the wait for the client's end. */
async function serveClient(socket: Socket, handlers: RequestHandlers, closing: AbortSignal): Promise<void> {
  const controller = new AbortController();
  const onClosing = () => {
    controller.abort(new ToolError("ERR_LOCAL_CLOUD_ENDED", "The local cloud was stopped meanwhile"));
  };
  closing.addEventListener("abort", onClosing, { once: true });
  let answered: Promise<void> | undefined;
  try {
    for await (const message of readMessages(socket, closing)) {
      // A second request on one connection is none of ours.
      answered ??= answer(socket, message, { handlers, signal: controller.signal });
    }
  } catch (error) {
    sendMessage(socket, { error: { message: `Cannot read the request: ${messageOf(error)}` } });
  }
  closing.removeEventListener("abort", onClosing);
  controller.abort(new Error("The client has gone"));
  await answered;
}

async function answer(
  socket: Socket,
  message: unknown,
  { handlers, signal }: { handlers: RequestHandlers; signal: AbortSignal },
): Promise<void> {
  const { request, parameters } = message as RequestMessage;
  try {
    if (!Object.hasOwn(handlers, request)) throw unknownRequest(request);
    // Client and daemon are of one version; the parameters are what its own client sent.
    const handler = handlers[request as RequestName] as (a: unknown, context: RequestContext) => Promise<unknown>;
    const onProgress = (progress: Progress) => sendMessage(socket, { progress });
    sendMessage(socket, { result: await handler(parameters, { signal, onProgress }) });
  } catch (error) {
    sendMessage(socket, { error: encodeError(systemError(error)) });
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
