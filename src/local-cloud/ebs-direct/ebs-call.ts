import type { CallContext } from "../operations/call.ts";
import type { RequestBody } from "../protocol/request-body.ts";

/** A request of the EBS direct APIs. */
export interface EbsCall extends CallContext {
  /** The variable parts of the path. */
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: RequestBody;
}

export interface EbsAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes as they are, anything else as JSON. */
  readonly body: Buffer | object;
  /** Called when the body is not needed any more. */
  readonly onSent?: () => void;
  /** The connection is reset after so many bytes of the body. */
  readonly cutAfterBytes?: number;
}

export interface EbsOperation {
  readonly method: "GET" | "POST" | "PUT";
  /** "/snapshots/{snapshotId}/blocks/{blockIndex}" */
  readonly path: string;
  /** Whether the body may be left out of the signature. */
  readonly mayBeUnsigned?: true;
  readonly run: (call: EbsCall) => EbsAnswer | Promise<EbsAnswer>;
}
