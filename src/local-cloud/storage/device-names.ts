import { ToolError } from "../../base/errors.ts";
import type { VolumeId } from "../../base/ids.ts";

/** The names that an attached disk gets, below the device directory. */
export interface DeviceNames {
  /** Of the whole disk: "xvdf". */
  readonly disk: string;
  /** Of a partition: "xvdf1". */
  readonly partition: (number: number) => string;
  /** Of a symlink that leads to the disk, or to a partition: "disk/by-id/nvme-…". */
  readonly link?: (number?: number) => string;
}

/**
 * The names on a Xen instance: "/dev/sdf" becomes "xvdf" with "xvdf1"; "/dev/xvdba" stays what it is.
 *
 * @throws {ToolError} for what is no EC2 device name.
 */
export function xenDeviceNames(deviceName: string): DeviceNames {
  const letters = /^(?:\/dev\/)?(?:sd|xvd|hd)([a-z]{1,2}\d{0,2})$/.exec(deviceName)?.[1];
  if (letters === undefined) {
    throw new ToolError("ERR_DEVICE_NAME", `Cannot attach a volume as "${deviceName}": that is no EC2 device name`, {
      hint: "Use a name such as /dev/sdf",
      fault: "usage",
    });
  }
  const disk = `xvd${letters}`;
  return { disk, partition: partitionNamesOf(disk) };
}

/** The names on a Nitro instance: nothing but the volume id in the links says which volume it is. */
export function nitroDeviceNames(controllerIndex: number, volumeId: VolumeId): DeviceNames {
  const disk = `nvme${controllerIndex}n1`;
  // The serial number of an EBS volume is its id without the dash, and udev makes the link from it.
  const serial = volumeId.replace("-", "");
  return {
    disk,
    partition: partitionNamesOf(disk),
    link: (number) => {
      const suffix = number === undefined ? "" : `-part${number}`;
      return `disk/by-id/nvme-Amazon_Elastic_Block_Store_${serial}${suffix}`;
    },
  };
}

/** The kernel puts a "p" between a name that ends with a digit and the number. */
function partitionNamesOf(disk: string): (number: number) => string {
  const separator = /\d$/.test(disk) ? "p" : "";
  return (number) => `${disk}${separator}${number}`;
}
