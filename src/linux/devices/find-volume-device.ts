import { readdir, readFile, realpath, stat } from "node:fs/promises";

/**
 * Finds the block device that an attached EBS volume became on this host.
 *
 * On a Nitro instance EC2's device name says nothing about the node: there the
 * disk itself carries the volume's id, in the by-id link and as its NVMe serial.
 *
 * @param volumeId "vol-0abc…"
 * @param deviceName EC2's label, "/dev/sdf".
 * @returns `undefined` while there is none.
 */
export async function findVolumeDevice(volumeId: string, deviceName: string): Promise<string | undefined> {
  const serial = volumeId.replace("-", "");
  const byId = `/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_${serial}`;
  // A symlink first: by its target {{.Device}} gets the name that the kernel uses.
  if (await isBlockDevice(byId)) return realpath(byId);
  const bySerial = await findBySerial(serial);
  if (bySerial !== undefined) return bySerial;
  // A Xen instance: the node has the label, or its xvd alias. The caller has seen that neither existed before.
  const suffix = deviceName.replace(/^\/dev\/(sd|xvd)/, "");
  for (const path of [`/dev/xvd${suffix}`, `/dev/sd${suffix}`]) {
    if (await isBlockDevice(path)) return path;
  }
  return undefined;
}

async function findBySerial(serial: string): Promise<string | undefined> {
  const disks = (await readdir("/sys/block")).filter((name) => name.startsWith("nvme"));
  for (const disk of disks) {
    const found = await readFile(`/sys/block/${disk}/device/serial`, "utf8").catch(() => "");
    if (found.trim() === serial && (await isBlockDevice(`/dev/${disk}`))) return `/dev/${disk}`;
  }
  return undefined;
}

async function isBlockDevice(path: string): Promise<boolean> {
  return stat(path).then(
    (status) => status.isBlockDevice(),
    () => false,
  );
}
