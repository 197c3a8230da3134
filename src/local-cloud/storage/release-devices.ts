import { basename } from "node:path";
import type { VolumeId } from "../../base/ids.ts";
import { findDeviceHolders } from "../../linux/devices/device-holders.ts";
import { readDeviceNumber } from "../../linux/devices/device-number.ts";
import { findLoopDevices, type HeldFiles } from "../../linux/devices/loop-device.ts";
import { partitionNames } from "../../linux/devices/partitions.ts";
import { removeDevicesPatiently } from "./attached-devices.ts";
import { type AttachmentRecord, readAttachments, removeAttachment, writeAttachment } from "./attachment-record.ts";
import { findUnrecorded } from "./attachments.ts";
import { type StoreLayout, volumePath } from "./store-layout.ts";

export interface DeviceInUse {
  readonly volumeId: VolumeId;
  /** "/dev/xvdf", or the loop device if it has no node. */
  readonly devicePath: string;
  /** Who uses it, one line each for people. */
  readonly holders: readonly string[];
}

/**
 * Removes every device of a store that nobody serves: its volumes are then attached no more.
 *
 * @returns those that are in use, which stay as they are.
 */
export async function releaseDevices(
  layout: StoreLayout,
  { deviceDirectory, held }: { readonly deviceDirectory: string; readonly held: HeldFiles },
): Promise<DeviceInUse[]> {
  const recorded = await readAttachments(layout);
  const unrecorded = await findUnrecorded(layout, new Set(recorded.map(({ volumeId }) => volumeId)));
  const inUse: DeviceInUse[] = [];
  for (const record of [...recorded, ...unrecorded]) {
    const backingFile = volumePath(layout, record.volumeId);
    const save = (changed: AttachmentRecord) => writeAttachment(layout, changed);
    if (await removeDevicesPatiently(record, { deviceDirectory, held, backingFile, save })) {
      await removeAttachment(layout, record.volumeId);
    } else {
      inUse.push(await describeUse(record, backingFile));
    }
  }
  return inUse;
}

async function describeUse({ volumeId, nodes }: AttachmentRecord, backingFile: string): Promise<DeviceInUse> {
  const [loopDevice = backingFile] = await findLoopDevices(backingFile);
  const names = [basename(loopDevice), ...(await partitionNames(loopDevice))];
  const holders: string[] = [];
  for (const name of names) holders.push(...(await findDeviceHolders(await readDeviceNumber(name))));
  return { volumeId, devicePath: nodes[0]?.path ?? loopDevice, holders };
}
