import { exportImage } from "../export/export-image.ts";
import { importDisk } from "../import/import-disk.ts";
import type { LocalCloud } from "../server.ts";
import type { FileDiskStorage } from "../storage/open-disk-storage.ts";
import type { DaemonStatus } from "./control-protocol.ts";
import type { RequestHandlers } from "./control-server.ts";

export interface DaemonParts {
  readonly cloud: LocalCloud;
  readonly storage: FileDiskStorage;
  readonly status: () => DaemonStatus;
  /** @throws if it has clients and is not forced. */
  readonly stop: (force: boolean) => DaemonStatus;
}

/** What a daemon does for the clients of its control socket. */
export function requestHandlers({ cloud, storage, status, stop }: DaemonParts): RequestHandlers {
  return {
    lease: async () => status(),
    status: async () => status(),
    stop: async ({ force }) => stop(force),
    faults: async ({ plan }) => cloud.faults(plan),
    records: async () => cloud.records(),
    import: (request, context) => importDisk(request, { cloud, storage, ...context }),
    export: (request, context) => exportImage(request, { cloud, storage, ...context }),
  };
}
