// What an attachment makes on this host, and how it goes again.
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ToolError } from "../../base/errors.ts";
import { type DeviceNumber, readDeviceNumber } from "../../linux/devices/device-number.ts";
import { findDeviceOpeners } from "../../linux/devices/device-openers.ts";
import {
  attachLoopDevice,
  claimBlockDevice,
  detachLoopDevice,
  findLoopDevices,
  type HeldFiles,
} from "../../linux/devices/loop-device.ts";
import { addPartitions, partitionNames, removePartitions } from "../../linux/devices/partitions.ts";
import type { AttachmentRecord } from "./attachment-record.ts";
import { type DeviceNames, nitroDeviceNames, xenDeviceNames } from "./device-names.ts";
import {
  type DeviceLink,
  type DeviceNode,
  isOurLink,
  isOurNode,
  makeDeviceLink,
  makeDeviceNode,
  removeDeviceLink,
  removeDeviceNode,
} from "./device-nodes.ts";

export interface DeviceContext {
  /** Where nodes are made: "/dev". */
  readonly deviceDirectory: string;
  /** Real path of the volume's file. */
  readonly backingFile: string;
  /** Of commands that change devices. */
  readonly held: HeldFiles;
  /** Makes the record durable. */
  readonly save: (record: AttachmentRecord) => Promise<void>;
}

/**
 * Makes everything of an attachment that is not there yet: loop device, partitions, nodes, links.
 *
 * @returns the record with all of it, saved before each thing was made.
 * @throws {DeviceNodeExistsError} if a name is taken. What was made until then is left to `removeDevices`.
 */
export async function makeDevices(record: AttachmentRecord, context: DeviceContext): Promise<AttachmentRecord> {
  const loops = await findLoopDevices(context.backingFile);
  const loopDevice =
    loops.find((path) => path === record.loopDevice) ??
    loops[0] ??
    (await attachLoopDevice(context.backingFile, context.held));
  await addPartitions(loopDevice, context.held);
  const { nodes, links } = await planNodes(record, loopDevice, context.deviceDirectory);
  // Nodes of an earlier loop device lead to somebody else's disk by now, or will.
  for (const node of record.nodes) if (!nodes.some((wanted) => isSameNode(wanted, node))) await removeDeviceNode(node);
  const planned = { ...record, loopDevice, nodes, links };
  await context.save(planned);
  for (const node of nodes) {
    const isThere = record.nodes.some((old) => isSameNode(old, node)) && (await isOurNode(node));
    if (!isThere) await makeDeviceNode(node, context.held);
  }
  for (const link of links) {
    const isThere = record.links.some((old) => old.path === link.path) && (await isOurLink(link));
    if (!isThere) await makeDeviceLink(link);
  }
  return planned;
}

/**
 * Removes everything of an attachment: nodes first, since a node whose loop device has gone leads to the next disk
 * that gets the number.
 *
 * @returns false while the device is mounted or open anywhere; nothing has changed then.
 */
export async function removeDevices(record: AttachmentRecord, context: DeviceContext): Promise<boolean> {
  for (const loopDevice of await findLoopDevices(context.backingFile)) {
    // From here on nobody can mount it any more.
    await using claim = await claimBlockDevice(loopDevice);
    if (claim === undefined || (await isOpen(record, loopDevice))) return false;
    await removeNames(record, context);
    try {
      await removePartitions(loopDevice, context.held);
    } catch {
      // Somebody has opened a partition since we looked.
      if (record.nodes.length > 0) await makeDevices({ ...record, nodes: [], links: [] }, context);
      return false;
    }
    await detachLoopDevice(loopDevice, { ...context.held, claim });
  }
  await removeNames(record, context);
  return true;
}

const PASSING_LOOK_MS_MAX = 1_000;
const PASSING_LOOK_PAUSE_MS = 50;

/**
 * As `removeDevices`, but a passing look does not count as use: udev's, or that of another losetup which wanted this
 * loop device for itself.
 */
export async function removeDevicesPatiently(record: AttachmentRecord, context: DeviceContext): Promise<boolean> {
  const start = performance.now();
  while (!(await removeDevices(record, context))) {
    if (performance.now() - start > PASSING_LOOK_MS_MAX) return false;
    await delay(PASSING_LOOK_PAUSE_MS);
  }
  return true;
}

/** Removes the devices of an attachment that nobody was told of. */
export async function undoDevices(record: AttachmentRecord, context: DeviceContext): Promise<void> {
  if (await removeDevicesPatiently(record, context)) return;
  throw new ToolError("ERR_LOOP_BUSY", `Cannot remove the loop device of "${context.backingFile}": it is in use`, {
    fault: "host",
  });
}

async function removeNames(record: AttachmentRecord, { deviceDirectory }: DeviceContext): Promise<void> {
  for (const link of record.links) await removeDeviceLink(link, deviceDirectory);
  for (const node of record.nodes) await removeDeviceNode(node);
}

async function isOpen(record: AttachmentRecord, loopDevice: string): Promise<boolean> {
  const disks = [basename(loopDevice), ...(await partitionNames(loopDevice))];
  const numbers = new Set(await Promise.all(disks.map(readDeviceNumber)));
  const names = new Set([...disks, ...record.nodes.map(({ path }) => basename(path))]);
  return findDeviceOpeners(numbers, names).length > 0;
}

export function deviceNamesOf(record: Pick<AttachmentRecord, "deviceName" | "nitroIndex" | "volumeId">): DeviceNames {
  return record.nitroIndex === undefined
    ? xenDeviceNames(record.deviceName)
    : nitroDeviceNames(record.nitroIndex, record.volumeId);
}

async function planNodes(record: AttachmentRecord, loopDevice: string, deviceDirectory: string) {
  const names = deviceNamesOf(record);
  const disk = basename(loopDevice);
  const nodes: DeviceNode[] = [await planNode(names.disk, disk)];
  const links: DeviceLink[] = [];
  const linkTo = (target: string, number?: number) => {
    if (names.link !== undefined) links.push({ path: join(deviceDirectory, names.link(number)), target });
  };
  linkTo(join(deviceDirectory, names.disk));
  for (const kernelName of await partitionNames(loopDevice)) {
    const number = Number(kernelName.slice(`${disk}p`.length));
    const node = await planNode(names.partition(number), kernelName);
    nodes.push(node);
    linkTo(node.path, number);
  }
  return { nodes, links };

  async function planNode(name: string, kernelName: string): Promise<DeviceNode> {
    return { path: join(deviceDirectory, name), deviceNumber: await readDeviceNumber(kernelName) };
  }
}

function isSameNode(a: { path: string; deviceNumber: DeviceNumber }, b: typeof a): boolean {
  return a.path === b.path && a.deviceNumber === b.deviceNumber;
}
