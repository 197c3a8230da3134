import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { systemCode, ToolError } from "../../base/errors.ts";
import type { SnapshotId } from "../../base/ids.ts";
import { renameToNew } from "../../linux/files/rename-to-new.ts";
import { runCommand } from "../../linux/run-command.ts";
import type { ExportResult } from "../daemon/control-protocol.ts";
import type { DiskWork } from "../disk-work.ts";
import type { LocalCloud } from "../server.ts";
import { UNFINISHED } from "../storage/store-layout.ts";

/** As the command line names them, with qemu-img's name. */
export const EXPORT_FORMATS = { raw: "raw", qcow2: "qcow2", vmdk: "vmdk", vhd: "vpc" } as const;
export type ExportFormat = keyof typeof EXPORT_FORMATS;

export interface ExportRequest {
  /** Its id, or its name. */
  readonly image: string;
  /** Absolute. */
  readonly path: string;
  readonly format: ExportFormat;
  /** Replace a file that is there. */
  readonly force: boolean;
}

/**
 * Writes the root disk of an image into a file. The file is there when it is whole, never before; a failure leaves
 * what was there.
 */
export async function exportImage(request: ExportRequest, work: DiskWork): Promise<ExportResult> {
  const { path, format, force } = request;
  const { cloud, storage, signal, onProgress } = work;
  const snapshotId = rootSnapshotOf(cloud, request.image);
  if (!force && (await isThere(path))) throw fileExists(path);
  // On the target's file system, for the rename at the end.
  const unfinished = join(dirname(path), `.${basename(path)}.${process.pid}-${Date.now()}${UNFINISHED}`);
  await using _noted = await storage.noteUnfinished(unfinished);
  const onBlock = (doneCount: number, totalCount: number) =>
    onProgress({ step: "Reading", fraction: doneCount / totalCount });
  try {
    if (format === "raw") {
      await storage.exportSnapshot(snapshotId, unfinished, { signal, onProgress: onBlock });
    } else {
      await using scratch = await storage.openScratch();
      const raw = join(scratch.path, "disk.raw");
      await storage.exportSnapshot(snapshotId, raw, { signal, onProgress: onBlock });
      onProgress({ step: `Writing ${format}` });
      await convert(raw, unfinished, { format, signal });
    }
    await finish(unfinished, path, { force });
  } catch (error) {
    await rm(unfinished, { force: true });
    if (systemCode(error) === "EEXIST") throw fileExists(path, error);
    throw systemCode(error) === "ENOENT" ? noDirectory(path, error) : error;
  }
  const { blocks } = await stat(path);
  return { path, allocatedBytes: blocks * 512 };
}

async function convert(raw: string, target: string, options: { format: ExportFormat; signal: AbortSignal }) {
  const { format, signal } = options;
  // Without force_size, a VHD gets the size of a disk geometry, which is larger than the disk.
  const special = format === "vhd" ? ["-o", "force_size=on"] : [];
  // It must not make the file after us: nobody would remove that.
  const withUs = ["setpriv", "--pdeathsig", "KILL", "--"];
  const argv = [...withUs, "qemu-img", "convert", "-f", "raw", "-O", EXPORT_FORMATS[format], ...special, raw, target];
  await runCommand(argv, { signal });
}

async function finish(unfinished: string, path: string, { force }: { force: boolean }): Promise<void> {
  {
    await using file = await open(unfinished, "r+");
    await file.chmod(0o644);
    await file.sync();
  }
  // Somebody else may have made the file meanwhile.
  await (force ? rename : renameToNew)(unfinished, path);
}

function rootSnapshotOf(cloud: LocalCloud, wanted: string): SnapshotId {
  const { images } = cloud.records();
  const image =
    images.find(({ id }) => id === wanted) ??
    images.find(({ name, ownerId }) => name === wanted && ownerId === cloud.accountId);
  const root = image?.mappings.find(({ deviceName }) => deviceName === image.rootDeviceName);
  if (root?.ebs?.snapshotId !== undefined) return root.ebs.snapshotId;
  throw new ToolError("ERR_NO_IMAGE", `Cannot export "${wanted}": the store has no such image`, {
    hint: "See what it has: amibake local images",
    fault: "usage",
  });
}

function fileExists(path: string, cause?: unknown): ToolError {
  return new ToolError("ERR_FILE_EXISTS", `Cannot export to "${path}": the file exists`, {
    cause,
    hint: "Replace it with --force",
    fault: "usage",
  });
}

function noDirectory(path: string, cause: unknown): ToolError {
  return new ToolError("ERR_NO_DIRECTORY", `Cannot export to "${path}": there is no directory "${dirname(path)}"`, {
    cause,
    fault: "usage",
  });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
