import type { Clock } from "../../base/clock.ts";
import type { InstanceId, SnapshotId, VolumeId } from "../../base/ids.ts";
import type { FaultEngine } from "../faults/fault-engine.ts";
import type { CloudState } from "../state/cloud-state.ts";
import type { Architecture } from "../state/records.ts";
import type { DiskStorage } from "../storage/disk-storage.ts";
import type { LatencyModel } from "../timing/latency.ts";
import type { TokenBuckets } from "../timing/token-buckets.ts";
import type { Transitions } from "../timing/transitions.ts";
import type { Upload } from "./uploads.ts";

/** What operations run on. Time, disks and ids come from here, so tests can choose them. */
export interface Cloud {
  readonly state: CloudState;
  readonly storage: DiskStorage;
  readonly clock: Clock;
  readonly latency: LatencyModel;
  readonly transitions: Transitions;
  readonly buckets: TokenBuckets;
  readonly faults: FaultEngine;
  readonly host: HostInstance;
  /** When each pending snapshot began and will end, in milliseconds since the epoch. */
  readonly progress: Map<SnapshotId, { readonly startedAtMs: number; readonly endsAtMs: number }>;
  /** Snapshots that are written block by block. */
  readonly uploads: Map<SnapshotId, Upload>;
  /** Calls under way with a ClientToken. */
  readonly tokensInUse: Map<string, Promise<unknown>>;
  /** Work that was asked for and is not done: closing the cloud waits for it. */
  readonly underWay: Set<Promise<unknown>>;
  /** Tells whoever runs the cloud what went wrong behind an answer. */
  readonly report: (what: string, error: unknown) => void;
}

/** The machine the local cloud runs on, as the one EC2 instance there is. */
export interface HostInstance {
  readonly accountId: string;
  readonly instanceId: InstanceId;
  readonly region: string;
  readonly zone: string;
  readonly architecture: Architecture;
  readonly isNitro: boolean;
  readonly instanceType: string;
  readonly rootDeviceName: string;
  /** Not a volume of the store: it stands for the machine's own disk. */
  readonly rootVolumeId: VolumeId;
  readonly imageId: string;
  readonly roleName: string;
  readonly launchedAtMs: number;
  readonly privateIp: string;
  readonly macAddress: string;
}

/** Does work that must not be cut off by closing the cloud. */
export async function underWay<T>(cloud: Cloud, work: () => Promise<T>): Promise<T> {
  const done = work();
  cloud.underWay.add(done);
  try {
    return await done;
  } finally {
    cloud.underWay.delete(done);
  }
}

/** Now, as AWS writes moments: "2026-11-23T10:20:30.000Z". */
export function now(cloud: Cloud): string {
  return new Date(cloud.clock.now()).toISOString();
}
