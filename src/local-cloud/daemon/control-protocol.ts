// What a daemon and its clients say to each other on the unix socket in the store: one JSON value a line. A client
// sends one request; the daemon answers with any number of progress lines, then a result or an error. The connection
// then stays open for as long as the client needs the daemon: that is the lease.
import { type Fault, messageOf, ToolError } from "../../base/errors.ts";
import type { ImageId, SnapshotId } from "../../base/ids.ts";
import type { ExportRequest } from "../export/export-image.ts";
import type { ImportRequest } from "../import/import-disk.ts";
import type { CloudRecords } from "../server.ts";
import type { LatencyMode } from "../timing/latency.ts";

export interface DaemonSettings {
  readonly storeDirectory: string;
  readonly listen: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly imds?: { readonly host: string; readonly port: number } | undefined;
  readonly latency: LatencyMode;
  readonly seed: number;
  readonly nitro: boolean;
  /** Ends when its last client is gone. */
  readonly isEphemeral: boolean;
}

export interface DaemonStatus {
  readonly pid: number;
  readonly url: string;
  readonly imdsUrl?: string | undefined;
  /** ISO 8601. */
  readonly startedAt: string;
  /** Connections other than the one that asks. */
  readonly clientCount: number;
  readonly settings: DaemonSettings;
  /** What a client of AWS needs to use it. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface ImportResult {
  readonly imageId: ImageId;
  readonly snapshotId: SnapshotId;
  readonly name: string;
  readonly sizeGib: number;
  /** Bytes of 512 KiB blocks that are not all zero. */
  readonly dataBytes: number;
}

export interface ExportResult {
  readonly path: string;
  /** What the file takes on this disk. */
  readonly allocatedBytes: number;
}

/** Each request, with what it takes and gives. */
export interface Requests {
  /** Only keeps the daemon alive. */
  lease: { parameters: Record<string, never>; result: DaemonStatus };
  status: { parameters: Record<string, never>; result: DaemonStatus };
  /** @throws ERR_LOCAL_CLOUD_BUSY if it has other clients, unless `force`. */
  stop: { parameters: { force: boolean }; result: DaemonStatus };
  records: { parameters: Record<string, never>; result: CloudRecords };
  import: { parameters: ImportRequest; result: ImportResult };
  export: { parameters: ExportRequest; result: ExportResult };
}

export type RequestName = keyof Requests;

export interface Progress {
  /** "Unpacking", "Storing". */
  readonly step: string;
  /** 0 to 1, if it is known. */
  readonly fraction?: number | undefined;
}

export type RequestMessage = { readonly request: string; readonly parameters: unknown };

export type AnswerMessage =
  | { readonly progress: Progress }
  | { readonly result: unknown }
  | { readonly error: ErrorMessage };

export interface ErrorMessage {
  readonly code?: string | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly fault?: Fault | undefined;
  readonly cause?: ErrorMessage | undefined;
  /** Of an error that is our bug. */
  readonly stack?: string | undefined;
}

export function encodeError(error: unknown): ErrorMessage {
  const cause = error instanceof Error && error.cause !== undefined ? encodeError(error.cause) : undefined;
  if (!(error instanceof ToolError)) {
    return { message: messageOf(error), cause, stack: error instanceof Error ? error.stack : undefined };
  }
  const { code, message, hint, fault } = error;
  return { code, message, hint, fault, cause };
}

/** The error as it was in the daemon, so that it is shown as if it had happened here. */
export function decodeError({ code, message, hint, fault, cause, stack }: ErrorMessage): Error {
  const inner = cause === undefined ? undefined : decodeError(cause);
  if (code === undefined || fault === undefined) {
    const error = new Error(message, inner === undefined ? {} : { cause: inner });
    return stack === undefined ? error : Object.assign(error, { stack });
  }
  return new ToolError(code as `ERR_${string}`, message, { hint, fault, cause: inner });
}
