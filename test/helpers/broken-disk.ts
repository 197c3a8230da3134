import { copyFile, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { runCommand } from "../../src/linux/run-command.ts";
import { type DiskArchitecture, importDisk } from "./ask-cloud.ts";
import { tinyBaseImage } from "./base-image.ts";
import type { TestCloud } from "./test-cloud.ts";

const MIB = 1024 ** 2;
/** Where the root partition of the layout "gpt" begins. */
export const ROOT_OFFSET_BYTES = MIB;

export interface DiskFile {
  readonly path: string;
  /** Commands for debugfs(8), on the root file system. */
  debugfs(...commands: string[]): Promise<void>;
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
}

let count = 0;

/** Imports a changed copy of the tiny image. @returns the image's id. */
export async function importChanged(
  cloud: TestCloud,
  change: (disk: DiskFile) => Promise<unknown>,
  importOptions: { readonly architecture?: DiskArchitecture } = {},
): Promise<string> {
  const name = `changed ${++count}`;
  const path = join(cloud.scratch, `${name}.raw`);
  await copyFile(await tinyBaseImage({ layout: "gpt" }), path);
  await change({
    path,
    async debugfs(...commands) {
      const input = commands.map((command) => `${command}\n`).join("");
      await runCommand(["debugfs", "-w", "-f", "-", `${path}?offset=${ROOT_OFFSET_BYTES}`], { input });
    },
    write: (offsetBytes, bytes) => writeAt(path, offsetBytes, bytes),
  });
  const { imageId } = await importDisk(cloud.storeDirectory, { path, name, ...importOptions });
  await rm(path);
  return imageId;
}

async function writeAt(path: string, offsetBytes: number, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, "r+");
  await file.write(bytes, 0, bytes.byteLength, offsetBytes);
}

/** Nothing of the file system is left, and what `head` says is there instead. */
export async function replaceRoot(disk: DiskFile, head: Uint8Array, atBytes = 0): Promise<void> {
  await disk.write(ROOT_OFFSET_BYTES, new Uint8Array(2 * MIB));
  await disk.write(ROOT_OFFSET_BYTES + atBytes, head);
}
