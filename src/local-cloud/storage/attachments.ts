import { open } from "node:fs/promises";
import { basename, join } from "node:path";
import { messageOf, ToolError } from "../../base/errors.ts";
import type { VolumeId } from "../../base/ids.ts";
import { type HeldFiles, listLoopDevices } from "../../linux/devices/loop-device.ts";
import {
  type DeviceContext,
  deviceNamesOf,
  makeDevices,
  removeDevices,
  removeDevicesPatiently,
  undoDevices,
} from "./attached-devices.ts";
import { type AttachmentRecord, readAttachments, removeAttachment, writeAttachment } from "./attachment-record.ts";
import { exists, isOurNode } from "./device-nodes.ts";
import { type AttachedDisk, DeviceNodeExistsError } from "./disk-storage.ts";
import { type StoreLayout, volumePath } from "./store-layout.ts";

export interface AttachmentOptions {
  readonly nitro: boolean;
  /** Where nodes are made: "/dev". */
  readonly deviceDirectory: string;
  /** See `HeldFiles`. */
  readonly held: HeldFiles;
  /** Told what cannot be put right and stops nothing else. */
  readonly report: (message: string, error?: unknown) => void;
}

/** The attached volumes of a store, and their devices on this host. */
export class Attachments {
  readonly #layout: StoreLayout;
  readonly #options: AttachmentOptions;
  readonly #records = new Map<VolumeId, AttachmentRecord>();

  private constructor(layout: StoreLayout, options: AttachmentOptions) {
    this.#layout = layout;
    this.#options = options;
  }

  /** Takes back the devices that an earlier process left, and makes those anew that are gone, as after a reboot. */
  static async open(layout: StoreLayout, options: AttachmentOptions): Promise<Attachments> {
    const attachments = new Attachments(layout, options);
    for (const record of await readAttachments(layout)) {
      if (record.state === "attached") await attachments.#adopt(record);
      else await attachments.#forget(record);
    }
    await attachments.#removeUnrecorded();
    return attachments;
  }

  isAttached(volumeId: VolumeId): boolean {
    return this.#records.has(volumeId);
  }

  records(): AttachmentRecord[] {
    return [...this.#records.values()];
  }

  /** See `DiskStorage.attach`. */
  async attach(volumeId: VolumeId, deviceName: string): Promise<AttachedDisk> {
    const known = this.#records.get(volumeId);
    if (known !== undefined) {
      if (known.deviceName === deviceName) return this.#diskOf(known);
      throw new ToolError(
        "ERR_VOLUME_ATTACHED",
        `Cannot attach "${volumeId}": it is attached as "${known.deviceName}"`,
      );
    }
    if (!(await exists(volumePath(this.#layout, volumeId)))) {
      throw new ToolError("ERR_NO_VOLUME", `Cannot attach "${volumeId}": the store has no such volume`);
    }
    for (let nitroIndex = 1; ; nitroIndex++) {
      const index = this.#options.nitro ? nitroIndex : undefined;
      try {
        return this.#diskOf(await this.#attachAs({ volumeId, deviceName, nitroIndex: index }));
      } catch (error) {
        // On a Nitro instance the kernel counts, and nobody asked for this number.
        const isDiskTaken = error instanceof DeviceNodeExistsError && /^nvme\d+n1$/.test(basename(error.devicePath));
        if (index === undefined || !isDiskTaken) throw error;
      }
    }
  }

  /** See `DiskStorage.detach`. */
  async detach(volumeId: VolumeId): Promise<boolean> {
    const record = this.#records.get(volumeId);
    if (record === undefined) return true;
    if (!(await removeDevices(record, this.#context(volumeId)))) return false;
    this.#records.delete(volumeId);
    await removeAttachment(this.#layout, volumeId);
    return true;
  }

  /** Brings what was written to the device into the volume's file. File systems that are mounted keep what they hold. */
  async flush(volumeId: VolumeId): Promise<void> {
    for (const node of this.#records.get(volumeId)?.nodes ?? []) {
      if (!(await isOurNode(node))) continue;
      await using device = await open(node.path, "r");
      await device.sync();
    }
  }

  /** Gives all devices back that are not in use. The volumes stay attached: the next opening makes their devices anew. */
  async giveBack(): Promise<void> {
    await Promise.all(this.records().map((record) => this.#giveBack(record)));
    this.#records.clear();
  }

  async #giveBack(record: AttachmentRecord): Promise<void> {
    const context = this.#context(record.volumeId);
    if (await removeDevicesPatiently(record, context)) {
      await context.save({ ...record, loopDevice: undefined, nodes: [], links: [] });
    } else {
      const device = record.nodes[0]?.path ?? record.loopDevice;
      this.#options.report(`"${device}" of volume "${record.volumeId}" is in use, so it stays`);
    }
  }

  async #attachAs(names: Pick<AttachmentRecord, "volumeId" | "deviceName" | "nitroIndex">): Promise<AttachmentRecord> {
    const disk = join(this.#options.deviceDirectory, deviceNamesOf(names).disk);
    // mknod looks again; this spares a loop device when the name is known to be taken.
    if (await exists(disk)) throw new DeviceNodeExistsError(disk);
    const context = this.#context(names.volumeId);
    let latest: AttachmentRecord = { ...names, state: "attaching", nodes: [], links: [] };
    const save = async (record: AttachmentRecord) => {
      latest = record;
      await context.save(record);
    };
    await save(latest);
    try {
      const made = await makeDevices(latest, { ...context, save });
      await save({ ...made, state: "attached" });
    } catch (error) {
      await undoDevices(latest, context);
      await removeAttachment(this.#layout, names.volumeId);
      throw error;
    }
    this.#records.set(names.volumeId, latest);
    return latest;
  }

  #diskOf(record: AttachmentRecord): AttachedDisk {
    return { devicePath: join(this.#options.deviceDirectory, deviceNamesOf(record).disk) };
  }

  #context(volumeId: VolumeId): DeviceContext {
    return {
      deviceDirectory: this.#options.deviceDirectory,
      held: this.#options.held,
      backingFile: volumePath(this.#layout, volumeId),
      save: async (record) => {
        await writeAttachment(this.#layout, record);
        // Of a volume that is being attached the caller keeps the record: it is not attached yet.
        if (this.#records.has(volumeId)) this.#records.set(volumeId, record);
      },
    };
  }

  async #adopt(record: AttachmentRecord): Promise<void> {
    this.#records.set(record.volumeId, record);
    const context = this.#context(record.volumeId);
    try {
      await makeDevices(record, context);
    } catch (error) {
      this.#options.report(`Cannot make the device of volume "${record.volumeId}" anew`, error);
      await removeDevicesPatiently(this.#records.get(record.volumeId) ?? record, context);
    }
  }

  async #forget(record: AttachmentRecord): Promise<void> {
    try {
      await undoDevices(record, this.#context(record.volumeId));
      await removeAttachment(this.#layout, record.volumeId);
    } catch (error) {
      // The record stays, so that the next opening tries again.
      this.#options.report(messageOf(error), error);
    }
  }

  /** See `findUnrecorded`. */
  async #removeUnrecorded(): Promise<void> {
    for (const record of await findUnrecorded(this.#layout, new Set(this.#records.keys()))) {
      if (await removeDevicesPatiently(record, this.#context(record.volumeId))) continue;
      this.#options.report(`"${record.loopDevice}" is of volume "${record.volumeId}", not attached, and in use`);
    }
  }
}

/** Loop devices of our volumes that no record names, such as after somebody removed a record by hand. */
export async function findUnrecorded(
  { volumeDirectory }: StoreLayout,
  recorded: ReadonlySet<VolumeId>,
): Promise<AttachmentRecord[]> {
  const devices = await listLoopDevices();
  return devices.flatMap(({ devicePath, backingFile }): AttachmentRecord[] => {
    const volumeId = basename(backingFile).replace(/\.disk( \(deleted\))?$/, "") as VolumeId;
    if (!backingFile.startsWith(join(volumeDirectory, "/")) || recorded.has(volumeId)) return [];
    return [{ volumeId, deviceName: "", state: "attaching", loopDevice: devicePath, nodes: [], links: [] }];
  });
}
