// Files are opened here where an image, which may be built to attack, says what stands there: a FIFO must not make a
// build wait for ever, a device must not be written, and a link must not lead to another place than was looked at.
import { constants, type Stats } from "node:fs";
import { type FileHandle, lstat, open, stat } from "node:fs/promises";
import { systemCode, ToolError } from "../../base/errors.ts";

export interface OpenFileOptions {
  /** What an error calls the file. */
  readonly shownAs: string;
  /** Whether a symlink at the very end is followed: yes for paths of the host, no for resolved paths of an image. */
  readonly followLast: boolean;
  /** Makes the error for anything but a regular file, of what it is: "a FIFO". */
  readonly refuse?: ((kind: string) => ToolError) | undefined;
}

/**
 * Opens a regular file to read it. It never waits, also not in reads of what only looks regular, such as /proc/kmsg.
 *
 * @throws {ToolError} for anything but a regular file.
 */
export async function openToRead(path: string, options: OpenFileOptions): Promise<FileHandle> {
  const { followLast } = options;
  // Looked at before it is opened: opening alone can make a device do something.
  refuseIrregular(await (followLast ? stat(path) : lstat(path)), options);
  const file = await open(path, constants.O_RDONLY | openFlags(followLast));
  return regularOrClosed(file, options);
}

/**
 * Opens a regular file, empty, to write it; it is made if there is nothing.
 *
 * @param options.mode of a new file.
 * @throws {ToolError} for anything but a regular file.
 */
export async function openToWrite(
  path: string,
  options: OpenFileOptions & { readonly mode?: number | undefined },
): Promise<FileHandle> {
  const { followLast, mode = 0o666 } = options;
  const status = await (followLast ? stat(path) : lstat(path)).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  });
  if (status !== undefined) refuseIrregular(status, options);
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | openFlags(followLast);
  return regularOrClosed(await open(path, flags, mode), options);
}

const COPY_BYTES = 1024 ** 2;

/** Copies what is left to read of one file to the other. */
export async function copyContent(from: FileHandle, to: FileHandle, signal: AbortSignal): Promise<void> {
  const buffer = Buffer.allocUnsafe(COPY_BYTES);
  for (;;) {
    signal.throwIfAborted();
    const { bytesRead } = await from.read(buffer, 0, buffer.byteLength, null);
    if (bytesRead === 0) return;
    for (let written = 0; written < bytesRead; ) {
      written += (await to.write(buffer, written, bytesRead - written, null)).bytesWritten;
    }
  }
}

/** What a thing that is no regular file is called: "a FIFO". */
export function fileKind(status: Stats): string {
  if (status.isFile()) return "a regular file";
  if (status.isDirectory()) return "a directory";
  if (status.isSymbolicLink()) return "a symbolic link";
  if (status.isFIFO()) return "a FIFO";
  if (status.isSocket()) return "a socket";
  return status.isBlockDevice() ? "a block device" : "a character device";
}

// O_NONBLOCK: open(2) of a FIFO waits for its other end.
function openFlags(followLast: boolean): number {
  return constants.O_NONBLOCK | (followLast ? 0 : constants.O_NOFOLLOW);
}

function refuseIrregular(status: Stats, { shownAs, refuse }: OpenFileOptions): void {
  if (status.isFile()) return;
  if (refuse !== undefined) throw refuse(fileKind(status));
  throw new ToolError("ERR_TRANSFER", `"${shownAs}" is ${fileKind(status)}, not a regular file`);
}

async function regularOrClosed(file: FileHandle, options: OpenFileOptions): Promise<FileHandle> {
  try {
    refuseIrregular(await file.stat(), options);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
