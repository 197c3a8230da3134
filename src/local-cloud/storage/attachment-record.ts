import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { VolumeId } from "../../base/ids.ts";
import { writeFileAtomically } from "../../linux/files/atomic-file.ts";
import type { DeviceLink, DeviceNode } from "./device-nodes.ts";
import { attachmentPath, type StoreLayout, UNFINISHED } from "./store-layout.ts";

/**
 * What an attachment has on this host. Written before each thing is made, so that whoever opens the store after a kill
 * finds all of it: things that are recorded may be missing, things that exist are recorded.
 */
export interface AttachmentRecord {
  readonly volumeId: VolumeId;
  /** As asked for, "/dev/sdf". */
  readonly deviceName: string;
  /** "attaching" was not acknowledged to anybody, so it is undone when the store is opened. */
  readonly state: "attaching" | "attached";
  /** On a Nitro instance, the number in "nvme1n1". It stays when the store is opened again. */
  readonly nitroIndex?: number | undefined;
  /** Missing until it is known: until then it is found by the volume's file. */
  readonly loopDevice?: string | undefined;
  /** The disk first, then its partitions. */
  readonly nodes: readonly DeviceNode[];
  readonly links: readonly DeviceLink[];
}

export async function writeAttachment(layout: StoreLayout, record: AttachmentRecord): Promise<void> {
  await writeFileAtomically(attachmentPath(layout, record.volumeId), `${JSON.stringify(record, undefined, 2)}\n`);
}

export async function removeAttachment(layout: StoreLayout, volumeId: VolumeId): Promise<void> {
  await rm(attachmentPath(layout, volumeId), { force: true });
}

export async function readAttachments(layout: StoreLayout): Promise<AttachmentRecord[]> {
  const records: AttachmentRecord[] = [];
  for (const name of await readdir(layout.attachmentDirectory)) {
    const path = join(layout.attachmentDirectory, name);
    // The file is ours and atomic: what parses is what was written.
    if (!name.endsWith(UNFINISHED)) records.push(JSON.parse(await readFile(path, "utf8")) as AttachmentRecord);
    else await rm(path, { force: true });
  }
  return records;
}
