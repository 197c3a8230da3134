import { NodeHttpHandler } from "@smithy/node-http-handler";
import { markSent } from "./sent-requests.ts";

const CONNECT_MS = 5_000;

/** How the clients of the SDK send what they have made ready. */
export class SdkTransport extends NodeHttpHandler {
  constructor() {
    super({ connectionTimeout: CONNECT_MS });
  }

  override handle(...[request, options]: Parameters<NodeHttpHandler["handle"]>): ReturnType<NodeHttpHandler["handle"]> {
    // Ours is of the web's kind.
    if (options?.abortSignal !== undefined) markSent(options.abortSignal as AbortSignal);
    return super.handle(request, options);
  }
}
