import type { Progress } from "./daemon/control-protocol.ts";
import type { LocalCloud } from "./server.ts";
import type { FileDiskStorage } from "./storage/open-disk-storage.ts";

/** What an import or an export works on, for a client that waits. */
export interface DiskWork {
  readonly cloud: LocalCloud;
  readonly storage: FileDiskStorage;
  /** Aborted when the client goes away or the daemon ends. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}
