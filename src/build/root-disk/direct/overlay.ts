// The copy-on-write disk of a build: a qcow2 over the blocks of the source snapshot, exported by FUSE as one file.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { AsyncDisposableStack } from "../../../base/async-disposable-stack.ts";
import { systemCode, ToolError } from "../../../base/errors.ts";
import { together } from "../../../base/together.ts";
import { type AutoclearLoopDevice, attachAutoclearLoopDevice } from "../../../linux/devices/autoclear-loop-device.ts";
import { joinExtents } from "../../../linux/files/extents.ts";
import { makeDirectories } from "../../../linux/files/make-directories.ts";
import { openNamelessFile } from "../../../linux/files/nameless-file.ts";
import { readFully } from "../../../linux/files/read-fully.ts";
import type { Extent } from "../../../linux/files/sparse-file.ts";
import { CommandError, runCommand } from "../../../linux/run-command.ts";
import { openSandbox, type Sandbox } from "../../../linux/sandbox/sandbox.ts";
import { openQemuMonitor, type QemuEvent } from "./qemu-monitor.ts";

export interface OverlayOptions {
  /** What is below, as an NBD export. */
  readonly base: { readonly socketPath: string; readonly exportName: string };
  /** At least that of the base: zeros follow it. */
  readonly sizeBytes: number;
  /** Where what is written is kept. Made if it is missing. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Called once, with `failure`, when there is one. */
  readonly onFailure?: ((error: ToolError) => void) | undefined;
}

export interface Overlay extends AsyncDisposable {
  /** Lives in namespaces of its own, so that it ends with amibake. */
  readonly sandbox: Sandbox;
  /** Makes it a block device of this host until the end of its scope. */
  attach(): Promise<AutoclearLoopDevice>;
  /**
   * The bytes that were written, also with zeros or by discarding, ascending.
   *
   * What a mounted file system still holds back is not among them.
   *
   * @throws {ToolError} ERR_OVERLAY if anything that was written is lost.
   */
  writtenExtents(): Promise<Extent[]>;
  /** Why something that was written is lost, or cannot be read again, if so: whoever wrote may not have been told. */
  failure(): ToolError | undefined;
  /** Reads bytes of the disk as they are now; zeros follow its end. */
  read(offsetBytes: number, target: Uint8Array): Promise<void>;
}

// In the overlay's own mount namespace something may lie over this: nothing there looks at it.
const EXPORT_DIRECTORY = "/sys";
const EXPORT_PATH = `${EXPORT_DIRECTORY}/disk`;
const MONITOR_PATH = `${EXPORT_DIRECTORY}/monitor`;

// Clusters of 128 KiB have 32 subclusters of 4 KiB (extended_l2), the block of most file systems: a write of whole blocks
// then never reads the base, and what was written is known to the block.
const QCOW2_OPTIONS = "extended_l2=on,cluster_size=128k,lazy_refcounts=on";

// Where a file ends, what the kernel reads ahead of it is often in the next block of the snapshot, which is then fetched
// for nothing.
const READ_AHEAD_KIB = 32;

/**
 * Opens an empty overlay.
 *
 * Nothing of it has a name on this host: the file is nameless, the export is in a mount namespace of its own, and the loop
 * device goes with its last user. So a killed amibake leaves nothing.
 *
 * @throws {ToolError} if this host has no qemu-storage-daemon or no FUSE.
 */
export async function openOverlay(options: OverlayOptions): Promise<Overlay> {
  const { base, sizeBytes, directory, signal } = options;
  await using undo = new AsyncDisposableStack();
  await makeDirectories(directory);
  const file = await openOverlayFile(directory);
  undo.defer(() => file.close());
  await checkZeroing(file, directory, signal);
  const sandbox = undo.use(await openSandbox({ keepVisible: [directory, base.socketPath], signal }));
  await together([createImage(file, sizeBytes, signal), mountExportDirectory(sandbox, signal)]);
  await serve(sandbox, file, base, signal);
  const failure = new OverlayFailure(options);
  const monitor = undo.use(await openQemuMonitor(sandbox.pathFromHere(MONITOR_PATH), failure));
  const path = sandbox.pathFromHere(EXPORT_PATH);
  const disk = await open(path, constants.O_RDWR);
  // Where the daemon has ended there is nobody to hear of it.
  undo.defer(() => disk.close().catch(() => {}));
  const owned = undo.move();
  return {
    sandbox,
    attach: () => attachAutoclearLoopDevice(disk, "amibake overlay", { readAheadKib: READ_AHEAD_KIB }),
    async writtenExtents() {
      // The daemon keeps tables of the file in its memory until it is told to write them. If that fails, what it tells of it
      // says more.
      const syncError: unknown = await disk.sync().catch((error: unknown) => error);
      await monitor.settle().catch(failure.explain);
      if (failure.error !== undefined) throw failure.error;
      if (syncError !== undefined) throw syncError;
      return readExtents(file);
    },
    failure: () => failure.error,
    read: (offsetBytes, target) => readFully(disk, target, offsetBytes),
    [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose](),
  };
}

const ROOM_HINT = "Make room there, or set overlay_directory";

async function openOverlayFile(directory: string): Promise<FileHandle> {
  try {
    return await openNamelessFile(directory);
  } catch (cause) {
    const isFull = ["ENOSPC", "EDQUOT"].includes(systemCode(cause) ?? "");
    throw new ToolError("ERR_OVERLAY", `Cannot make a file for the changes of the build in "${directory}"`, {
      cause,
      fault: "host",
      hint: isFull ? ROOM_HINT : "Set overlay_directory to a directory that can be written",
    });
  }
}

/** The descriptor that a command gets the overlay's file as. */
const FILE_IN_COMMAND = "/proc/self/fd/3";

// As QEMU does it for files.
const ZERO_SCRIPT = `fallocate --zero-range --length 4096 ${FILE_IN_COMMAND} || {
  fallocate --punch-hole --length 4096 ${FILE_IN_COMMAND} && fallocate --length 4096 ${FILE_IN_COMMAND}
}`;

/**
 * For a write of less than a subcluster, qcow2 first asks its file for a range of zeros. A file system that has none, such as
 * ext2, would fail the build then: its refusal cannot be told from a write that is lost.
 */
async function checkZeroing(file: FileHandle, directory: string, signal: AbortSignal): Promise<void> {
  try {
    await runCommand(["/bin/sh", "-c", ZERO_SCRIPT], { extraFds: [file.fd], signal });
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    throw new ToolError("ERR_OVERLAY", `Cannot keep the changes of the build in "${directory}"`, {
      cause,
      fault: "host",
      hint: /no space|quota/i.test(cause.message)
        ? ROOM_HINT
        : "Set overlay_directory to a directory on ext4, XFS, Btrfs or tmpfs: this file system cannot zero parts of files",
    });
  }
}

async function createImage(file: FileHandle, sizeBytes: number, signal: AbortSignal): Promise<void> {
  const argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-o", QCOW2_OPTIONS, FILE_IN_COMMAND, String(sizeBytes)];
  await runCommand(argv, { extraFds: [file.fd], signal });
}

async function mountExportDirectory(sandbox: Sandbox, signal: AbortSignal): Promise<void> {
  const mount = ["mount", "--types", "tmpfs", "--options", "mode=0700,size=64k", "amibake", EXPORT_DIRECTORY];
  await sandbox.run(mount, { signal });
  await (await open(sandbox.pathFromHere(EXPORT_PATH), "wx", 0o600)).close();
}

/** Starts the daemon; it ends with the sandbox. */
async function serve(
  sandbox: Sandbox,
  file: FileHandle,
  { socketPath, exportName }: OverlayOptions["base"],
  signal: AbortSignal,
): Promise<void> {
  const nbd = { driver: "nbd", "node-name": "base", "read-only": true, export: exportName };
  // Nobody needs the overlay after a crash, so its flushes need not reach the disk.
  const cache = { "no-flush": true };
  const nodes = [
    { ...nbd, server: { type: "unix", path: socketPath } },
    { driver: "file", "node-name": "file", filename: FILE_IN_COMMAND, cache },
    // A quorum of one: it is the only node that tells of an error.
    { driver: "quorum", "node-name": "watched", children: ["file"], "vote-threshold": 1 },
    { driver: "qcow2", "node-name": "overlay", file: "watched", backing: "base", discard: "unmap", cache },
  ];
  const fuse = { type: "fuse", id: "disk", "node-name": "overlay", mountpoint: EXPORT_PATH, writable: true };
  const argv = [
    ...["qemu-storage-daemon", "--daemonize"],
    ...["--chardev", `socket,id=monitor,path=${MONITOR_PATH},server=on,wait=off`, "--monitor", "chardev=monitor"],
    ...nodes.flatMap((node) => ["--blockdev", JSON.stringify(node)]),
    ...["--export", JSON.stringify(fuse)],
  ];
  try {
    await sandbox.run(argv, { extraFds: [file.fd], signal });
  } catch (cause) {
    if (!(cause instanceof CommandError)) throw cause;
    throw new ToolError("ERR_OVERLAY", "Cannot serve the disk of the build", {
      cause,
      fault: "host",
      hint: "amibake doctor tells what is missing; a container needs /dev/fuse: docker run --device /dev/fuse",
    });
  }
}

/** The first error at the overlay's file. */
class OverlayFailure {
  error: ToolError | undefined;
  readonly #options: Pick<OverlayOptions, "directory" | "onFailure">;

  constructor(options: Pick<OverlayOptions, "directory" | "onFailure">) {
    this.#options = options;
  }

  readonly onEvent = ({ event, data }: QemuEvent): void => {
    if (event !== "QUORUM_REPORT_BAD") return;
    const { directory } = this.#options;
    const what = data?.["type"] === "read" ? "read what the build has written" : "keep what the build writes";
    const hint = `${ROOM_HINT}; if there is room, look into dmesg`;
    this.#set(`Cannot ${what} in "${directory}": ${data?.["error"] ?? "input/output error"}`, hint);
  };

  readonly onEnd = (): void => {
    const hint = "Build again; if nobody has ended it, dmesg tells whether the kernel did, for want of memory";
    this.#set("Cannot serve the disk of the build: qemu-storage-daemon has ended", hint);
  };

  /** Throws what was known before, instead of an error that follows from it. */
  readonly explain = (error: unknown): never => {
    throw this.error ?? error;
  };

  #set(message: string, hint: string): void {
    if (this.error !== undefined) return;
    this.error = new ToolError("ERR_OVERLAY", message, { fault: "host", hint });
    this.#options.onFailure?.(this.error);
  }
}

/** What `qemu-img map` prints of one extent. */
interface MappedExtent {
  readonly start: number;
  readonly length: number;
  /** Whether this file says anything about it. */
  readonly present: boolean;
}

async function readExtents(file: FileHandle): Promise<Extent[]> {
  const image = { driver: "qcow2", file: { driver: "file", filename: FILE_IN_COMMAND }, backing: null };
  const argv = ["qemu-img", "map", "--force-share", "--output=json", `json:${JSON.stringify(image)}`];
  const { stdout } = await runCommand(argv, { extraFds: [file.fd] });
  return joinExtents(
    (JSON.parse(stdout.toString()) as MappedExtent[])
      .filter(({ present }) => present)
      .map(({ start, length }) => ({ startBytes: start, endBytes: start + length })),
  );
}
