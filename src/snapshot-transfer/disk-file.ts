import { type FileHandle, realpath } from "node:fs/promises";
import { systemCode, ToolError } from "../base/errors.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { compressionOf, containerOf, FORMAT_HEAD_BYTES } from "../linux/files/disk-image-format.ts";
import { readFully } from "../linux/files/read-fully.ts";
import { openToRead } from "../linux/files/regular-file.ts";
import { dataExtents, eachBlockOf } from "../linux/files/sparse-file.ts";

/** What tells a file, with this content, from any other. */
export interface FileIdentity {
  /** Without links. */
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly sizeBytes: number;
  /** Nanoseconds since the epoch. */
  readonly modifiedNs: string;
  /** Of its inode, in nanoseconds since the epoch. Whoever writes can set the other time back, but not this one. */
  readonly changedNs: string;
}

/** A raw disk in a file, to be read. */
export interface DiskFile extends AsyncDisposable {
  readonly identity: FileIdentity;
  /** The indexes of the blocks that have data, ascending: the others are holes. */
  dataBlocks(): Promise<Iterable<number>>;
  /** Fills `target`, `SNAPSHOT_BLOCK_BYTES` long, with a block; zeros follow the file's end. */
  readBlock(blockIndex: number, target: Uint8Array): Promise<void>;
  /** @throws {ToolError} ERR_FILE_CHANGED if it is not what it was when it was opened. */
  checkUnchanged(): Promise<void>;
}

/** @throws {ToolError} ERR_UPLOAD_SOURCE if it cannot be read, or is no regular file. */
export async function openDiskFile(path: string): Promise<DiskFile> {
  let file: FileHandle;
  let realPath: string;
  try {
    realPath = await realpath(path);
    file = await openToRead(realPath, {
      shownAs: path,
      followLast: false,
      refuse: (kind) => cannotUpload(path, `it is ${kind}, not a regular file`),
    });
  } catch (cause) {
    if (cause instanceof ToolError) throw cause;
    const detail = systemCode(cause) === "ENOENT" ? "there is no such file" : "it cannot be opened";
    throw cannotUpload(path, detail, { cause });
  }
  try {
    const identity = await identityOf(file, realPath);
    await refuseContainers(file, path);
    return {
      identity,
      async dataBlocks() {
        const extents = await dataExtents(file);
        return { [Symbol.iterator]: () => eachBlockOf(extents, SNAPSHOT_BLOCK_BYTES) };
      },
      readBlock: (blockIndex, target) => readFully(file, target, blockIndex * SNAPSHOT_BLOCK_BYTES),
      async checkUnchanged() {
        const now = await identityOf(file, realPath);
        if (JSON.stringify(now) === JSON.stringify(identity)) return;
        throw new ToolError("ERR_FILE_CHANGED", `Cannot upload "${path}": it was changed meanwhile`, {
          hint: "Run the command again when nothing changes the file any more",
        });
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Their bytes in a snapshot would be a disk that nothing can read. */
async function refuseContainers(file: FileHandle, path: string): Promise<void> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(FORMAT_HEAD_BYTES), 0, FORMAT_HEAD_BYTES, 0);
  const head = buffer.subarray(0, bytesRead);
  const container = containerOf(head);
  const compression = compressionOf(head);
  if (container !== undefined) {
    const hint = `Convert it first: qemu-img convert -O raw "${path}" disk.raw`;
    throw cannotUpload(path, `it is a ${container} image, not a raw disk`, { hint });
  }
  if (compression !== undefined) {
    const hint = `Unpack it first: ${UNPACK[compression]} "${path}" > disk.raw`;
    throw cannotUpload(path, `it is compressed with ${compression}`, { hint });
  }
}

const UNPACK = { gzip: "gzip -dc", zstd: "zstd -dc", xz: "xz -dc", bzip2: "bzip2 -dc" } as const;

async function identityOf(file: FileHandle, path: string): Promise<FileIdentity> {
  const status = await file.stat({ bigint: true });
  return {
    path,
    device: String(status.dev),
    inode: String(status.ino),
    sizeBytes: Number(status.size),
    modifiedNs: String(status.mtimeNs),
    changedNs: String(status.ctimeNs),
  };
}

export function cannotUpload(
  path: string,
  detail: string,
  options: { readonly cause?: unknown; readonly hint?: string } = {},
): ToolError {
  return new ToolError("ERR_UPLOAD_SOURCE", `Cannot upload "${path}": ${detail}`, { fault: "usage", ...options });
}
