// A loop device that the kernel takes apart by itself, when the last one who has it open goes.
import { constants } from "node:fs";
import { type FileHandle, open, writeFile } from "node:fs/promises";
import { constants as system } from "node:os";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { ToolError } from "../../base/errors.ts";
import type { DevicePath } from "../../base/ids.ts";
import { backingFileOf } from "./loop-device.ts";
import { addPartitions } from "./partitions.ts";

export interface AutoclearLoopDevice extends AsyncDisposable {
  readonly devicePath: DevicePath;
}

/**
 * Presents an open file as a block device with its partitions.
 *
 * It lives as long as this process has it open or something of it is mounted: a killed process leaves none. For the same
 * reason it is not made by losetup(8), which has no such option, and which finds a file by its path in the host's own
 * mounts.
 *
 * @param file open for writing, and kept open by the caller no longer than this call. Of any mount namespace.
 * @throws {ToolError} ERR_LOOP if the host has no loop devices. At the end of its scope, ERR_LOOP_BUSY if somebody else
 *   still has it open.
 */
export async function attachAutoclearLoopDevice(
  file: FileHandle,
  label: string,
  options: {
    /** How far the kernel reads ahead of a reader. @default the kernel's, mostly 128 */
    readonly readAheadKib?: number;
  } = {},
): Promise<AutoclearLoopDevice> {
  await using undo = new AsyncDisposableStack();
  const { devicePath, device } = await configureFreeDevice(file, label);
  undo.defer(() => release(devicePath, device));
  const { readAheadKib } = options;
  if (readAheadKib !== undefined) {
    await writeFile(`/sys/block/${basename(devicePath)}/queue/read_ahead_kb`, String(readAheadKib));
  }
  // The kernel looked for partitions when the device was made, if it can read the table at all.
  await addPartitions(devicePath);
  const owned = undo.move();
  return { devicePath, [Symbol.asyncDispose]: () => owned[Symbol.asyncDispose]() };
}

// Each lost race is with one other process that makes a loop device.
const RACES_MAX = 50;

async function configureFreeDevice(
  file: FileHandle,
  label: string,
): Promise<{ devicePath: DevicePath; device: FileHandle }> {
  const { ioctl } = await loadIoctl();
  try {
    await using control = await open("/dev/loop-control", constants.O_RDWR);
    for (let race = 0; race < RACES_MAX; race++) {
      const number = await ioctl(control.fd, LOOP_CTL_GET_FREE, null);
      const devicePath = `/dev/loop${number}` as DevicePath;
      await using writable = await open(devicePath, constants.O_RDWR);
      try {
        await ioctl(writable.fd, LOOP_CONFIGURE, loopConfig(file.fd, label));
      } catch (error) {
        if (error instanceof IoctlError && error.errno === system.errno.EBUSY) continue;
        throw error;
      }
      // Opened again for reading: some kernels refuse to mount what is open for writing (CONFIG_BLK_DEV_WRITE_MOUNTED).
      return { devicePath, device: await open(devicePath, constants.O_RDONLY) };
    }
  } catch (cause) {
    throw loopError(label, cause);
  }
  throw loopError(label, new Error("other processes took every free loop device"));
}

function loopError(label: string, cause: unknown): ToolError {
  return new ToolError("ERR_LOOP", `Cannot make a loop device of "${label}"`, {
    cause,
    fault: "host",
    hint: "Loop devices are needed: modprobe loop; a container needs /dev/loop-control and the loop devices of its host",
  });
}

const RELEASE_DEADLINE_MS = 5_000;
const RELEASE_LOOK_MS = 5;

async function release(devicePath: DevicePath, device: FileHandle): Promise<void> {
  const backingFile = await backingFileOf(devicePath);
  await device.close();
  const start = performance.now();
  while (backingFile !== undefined && (await backingFileOf(devicePath)) === backingFile) {
    if (performance.now() - start > RELEASE_DEADLINE_MS) {
      throw new ToolError("ERR_LOOP_BUSY", `Cannot let go of "${devicePath}": it is still open`, {
        hint: `Look who has it open: fuser --verbose ${devicePath}`,
        fault: "host",
      });
    }
    await delay(RELEASE_LOOK_MS);
  }
}

// linux/loop.h
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;
const LO_FLAGS_AUTOCLEAR = 4;
const LO_FLAGS_PARTSCAN = 8;
const CONFIG_BYTES = 304;
const CONFIG_FLAGS_OFFSET = 60;
const CONFIG_NAME_OFFSET = 64;
const CONFIG_NAME_BYTES = 63;

/** `struct loop_config`: the file's descriptor, then a `struct loop_info64`. */
function loopConfig(fd: number, label: string): Buffer {
  const config = Buffer.alloc(CONFIG_BYTES);
  config.writeUInt32LE(fd, 0);
  config.writeUInt32LE(LO_FLAGS_AUTOCLEAR | LO_FLAGS_PARTSCAN, CONFIG_FLAGS_OFFSET);
  config.write(label, CONFIG_NAME_OFFSET, CONFIG_NAME_BYTES);
  return config;
}

class IoctlError extends Error {
  override readonly name = "IoctlError";
  readonly errno: number;

  constructor(errno: number) {
    const code = Object.entries(system.errno).find(([, value]) => value === errno)?.[0];
    super(`ioctl(2) fails with ${code ?? `errno ${errno}`}`);
    this.errno = errno;
  }
}

type Ioctl = (fd: number, request: number, argument: Buffer | null) => Promise<number>;

let loading: Promise<{ ioctl: Ioctl }> | undefined;

function loadIoctl(): Promise<{ ioctl: Ioctl }> {
  loading ??= load();
  return loading;
}

async function load(): Promise<{ ioctl: Ioctl }> {
  // Loaded when first needed: a native module, and most commands do without.
  const { default: koffi } = await import("koffi");
  const call = koffi.load(null).func("int ioctl(int fd, unsigned long request, void *argument)");
  return {
    // In another thread: the kernel reads the file to find partitions, and whoever serves it may need this one.
    ioctl: (fd, request, argument) =>
      new Promise((resolve, reject) => {
        call.async(fd, request, argument, (error: Error | null, result: number) => {
          if (error !== null) reject(error);
          else if (result < 0) reject(new IoctlError(koffi.errno()));
          else resolve(result);
        });
      }),
  };
}
