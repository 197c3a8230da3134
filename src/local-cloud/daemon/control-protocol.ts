// What a daemon and its clients say to each other on the unix socket in the store: one JSON value a line. A client
// sends one request; the daemon answers with any number of progress lines, then a result or an error. The connection
// then stays open for as long as the client needs the daemon: that is the lease.
import { join } from "node:path";
import type { ErrorMessage } from "../../base/error-message.ts";
import type { ImageId, SnapshotId } from "../../base/ids.ts";
import type { ExportRequest } from "../export/export-image.ts";
import type { FaultReport } from "../faults/fault-engine.ts";
import type { FaultPlan } from "../faults/fault-plan.ts";
import type { ImportRequest } from "../import/import-disk.ts";
import type { CloudRecords } from "../server.ts";
import type { BlockPlace } from "../storage/open-disk-storage.ts";
import type { LatencyMode } from "../timing/latency.ts";

export function controlSocketPath(storeDirectory: string): string {
  return join(storeDirectory, "control.sock");
}

export interface DaemonSettings {
  readonly storeDirectory: string;
  readonly listen: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly imds?: { readonly host: string; readonly port: number } | undefined;
  readonly latency: LatencyMode;
  readonly seed: number;
  readonly nitro: boolean;
  /** Where blocks of snapshots are kept. */
  readonly blocks: BlockPlace;
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
  readonly faultRuleCount: number;
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
  /** Replaces the faults, if there is a plan, and tells those that are in force. */
  faults: { parameters: { plan?: FaultPlan | undefined }; result: FaultReport };
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
