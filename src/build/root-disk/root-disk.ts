import type { DevicePath, SnapshotId } from "../../base/ids.ts";
import type { Draft } from "../image/draft.ts";

/** The disk that a build works on, however it came here. At the end of its scope nothing of it is left. */
export interface RootDisk extends AsyncDisposable {
  readonly sizeGib: number;
  /** Makes it a block device of this host. The device is gone, and all that was written safe, when its scope ends. */
  attach(): Promise<AttachedDevice>;
  /** Takes a snapshot, complete when this resolves. Only while it is not attached. */
  snapshot(): Promise<Draft<SnapshotId>>;
}

export interface AttachedDevice extends AsyncDisposable {
  readonly devicePath: DevicePath;
}
