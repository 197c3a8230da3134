import type { CloudRecords } from "../../local-cloud/server.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { requestOfStore } from "./local-request.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";
import { tableLines } from "./table-lines.ts";

export type TableKind = keyof CloudRecords;

/** Lists what the local cloud holds, oldest first. */
export async function runLocalTable(
  kind: TableKind,
  options: StoreOptions & { readonly json?: boolean },
  context: CliContext,
): Promise<ExitCode> {
  const storeDirectory = localStoreDirectory(options, context.environment);
  const records = await requestOfStore(storeDirectory, "records", {}, context);
  const sorted = bySequence(records);
  if (options.json) context.stdout.write(`${JSON.stringify(sorted[kind], undefined, 2)}\n`);
  else for (const line of tableLines(tableOf(kind, sorted))) context.stdout.write(`${line}\n`);
  return 0;
}

function bySequence({ images, volumes, snapshots }: CloudRecords): CloudRecords {
  const sort = <T extends { readonly sequence: number }>(records: readonly T[]) =>
    records.toSorted((a, b) => a.sequence - b.sequence);
  return { images: sort(images), volumes: sort(volumes), snapshots: sort(snapshots) };
}

function tableOf(kind: TableKind, records: CloudRecords): string[][] {
  if (kind === "images") {
    const rows = records.images.map((image) => {
      const root = image.mappings.find(({ deviceName }) => deviceName === image.rootDeviceName);
      const size = root?.ebs === undefined ? "-" : `${root.ebs.sizeGib} GiB`;
      return [image.id, image.state, image.region, image.architecture, size, image.creationDate, image.name];
    });
    return [["IMAGE", "STATE", "REGION", "ARCH", "SIZE", "CREATED", "NAME"], ...rows];
  }
  if (kind === "volumes") {
    const rows = records.volumes.map((volume) => {
      const { attachment } = volume;
      const attached = attachment === undefined ? "-" : `${attachment.deviceName} (${attachment.state})`;
      const source = volume.snapshotId ?? "-";
      return [volume.id, volume.state, volume.zone, `${volume.sizeGib} GiB`, source, attached, volume.createTime];
    });
    return [["VOLUME", "STATE", "ZONE", "SIZE", "SNAPSHOT", "ATTACHED", "CREATED"], ...rows];
  }
  const rows = records.snapshots.map((snapshot) => {
    const { id, state, region, sizeGib, volumeId, startTime, description } = snapshot;
    return [id, state, region, `${sizeGib} GiB`, volumeId, startTime, description];
  });
  return [["SNAPSHOT", "STATE", "REGION", "SIZE", "VOLUME", "STARTED", "DESCRIPTION"], ...rows];
}
