import { stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../base/errors.ts";
import { formatBytes, GIB, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import type { ImportResult } from "../daemon/control-protocol.ts";
import type { DiskWork } from "../disk-work.ts";
import type { Architecture } from "../state/records.ts";
import { cannotImport, detectImportFormat, type ImportFormat, unpackQcow2 } from "./detect-disk.ts";
import { readTarball, tarballDiskBytes, unpackTarball } from "./unpack-tarball.ts";

export interface ImportRequest {
  /** Absolute. */
  readonly path: string;
  /** Of the image. */
  readonly name: string;
  readonly description?: string | undefined;
  readonly architecture: Architecture;
  /** @default the smallest that holds the disk. */
  readonly sizeGib?: number | undefined;
}

/**
 * Makes an image of a raw or qcow2 disk, or of a root file system in a tarball. A failure leaves nothing.
 *
 * @throws {ToolError} ERR_IMPORT if the file is nothing of that, or does not fit.
 */
export async function importDisk(request: ImportRequest, work: DiskWork): Promise<ImportResult> {
  const { path, name, architecture } = request;
  const { cloud, storage, signal, onProgress } = work;
  onProgress({ step: "Looking at the file" });
  const format = await detectImportFormat(path, signal);
  await using scratch = await storage.openScratch();
  const disk = await rawDisk(request, format, { ...work, scratch: scratch.path });
  const onBlock = (doneCount: number, totalCount: number) =>
    onProgress({ step: "Storing", fraction: doneCount / totalCount });
  let dataBytes = 0;
  const { imageId, snapshotId } = await cloud.importImage({
    name,
    architecture,
    description: request.description ?? "",
    async write(id) {
      const content = await storage.importSnapshot(id, disk.path, {
        sizeBytes: disk.sizeBytes,
        signal,
        onProgress: onBlock,
      });
      dataBytes = content.blockCount * SNAPSHOT_BLOCK_BYTES;
      return content;
    },
  });
  return { imageId, snapshotId, name, sizeGib: disk.sizeBytes / GIB, dataBytes };
}

interface RawDisk {
  readonly path: string;
  /** A whole number of GiB, as a volume's; at least the file's. */
  readonly sizeBytes: number;
}

async function rawDisk(
  request: ImportRequest,
  format: ImportFormat,
  { scratch, signal, onProgress }: DiskWork & { readonly scratch: string },
): Promise<RawDisk> {
  if (format.kind === "raw") return { path: request.path, sizeBytes: diskBytes(request, format.sizeBytes) };
  const path = join(scratch, "disk.raw");
  if (format.kind === "qcow2") {
    const sizeBytes = diskBytes(request, format.sizeBytes);
    const expectedBytes = (await stat(request.path)).size;
    await using _watch = watchFile(path, expectedBytes, (fraction) => onProgress({ step: "Unpacking", fraction }));
    await unpackQcow2(request.path, path, signal);
    return { path, sizeBytes };
  }
  onProgress({ step: "Reading the archive" });
  const content = await readTarball(request.path, signal);
  const neededBytes = request.sizeGib === undefined ? tarballDiskBytes(content) : content.contentBytes;
  const sizeBytes = diskBytes(request, neededBytes);
  const report = (fraction: number) => onProgress({ step: "Unpacking", fraction });
  await using _watch = watchFile(path, content.contentBytes, report);
  await unpackTarball(request.path, path, { scratch, sizeBytes, architecture: request.architecture, signal });
  return { path, sizeBytes };
}

/** Volumes are whole GiB: a disk is made larger, never smaller. */
function diskBytes({ path, sizeGib }: ImportRequest, contentBytes: number): number {
  const neededGib = Math.ceil(contentBytes / GIB);
  if (sizeGib === undefined) return neededGib * GIB;
  if (sizeGib < neededGib) {
    throw cannotImport(path, `its ${formatBytes(contentBytes)} do not fit into ${sizeGib} GiB`);
  }
  return sizeGib * GIB;
}

const WATCH_EVERY_MS = 250;

/** Tells how much of a file that others write is there. A hint for people: the expectation is a guess. */
function watchFile(path: string, expectedBytes: number, onFraction: (fraction: number) => void): AsyncDisposable {
  let isOver = false;
  const look = async (): Promise<void> => {
    try {
      const { blocks } = await stat(path);
      if (!isOver) onFraction(Math.min(0.99, (blocks * 512) / expectedBytes));
    } catch (error) {
      // It is not there yet.
      void messageOf(error);
    }
  };
  const timer = setInterval(() => void look(), WATCH_EVERY_MS);
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      clearInterval(timer);
    },
  };
}
