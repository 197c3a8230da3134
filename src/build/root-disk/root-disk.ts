import type { Image } from "../../aws/ec2-api.ts";
import type { DevicePath, SnapshotId } from "../../base/ids.ts";
import type { BlockManifest } from "../../post-process/post-process-context.ts";
import type { Draft } from "../draft.ts";

/** The disk that a build works on, however it came here. At the end of its scope nothing of it is left. */
export interface RootDisk extends AsyncDisposable {
  readonly sizeGib: number;
  /** The image that it was made of says these: the source, or its copy in this account. */
  readonly blockDeviceMappings: Image["blockDeviceMappings"];
  /** Makes it a block device of this host. The device is gone, and all that was written safe, when its scope ends. */
  attach(): Promise<AttachedDevice>;
  /** Takes a snapshot, complete when this resolves. Only while it is not attached. */
  snapshot(): Promise<Draft<SnapshotId>>;
  /** Why some of it could not be read or written, if so: then the image has seen errors, and what failed in it failed of that. */
  failure?(): Error | undefined;
  /** What the snapshot holds, once it has been taken. Missing where amibake does not know. */
  readBlockManifest?(): Promise<BlockManifest>;
  /** Keeps what the snapshot holds on this host, for builds to come: once the snapshot is the user's. Tells if it cannot. */
  noteContent?(): Promise<void>;
}

export interface AttachedDevice extends AsyncDisposable {
  readonly devicePath: DevicePath;
}
