import { reasonOf, ToolError } from "../base/errors.ts";
import { makeDirectories } from "../linux/files/make-directories.ts";

/** Disks hold secrets of the images that they were made from: nobody else may look. */
export const STORE_MODE = 0o700;

/** @throws {ToolError} if it is not there and cannot be made. */
export async function makeStoreDirectory(storeDirectory: string): Promise<void> {
  try {
    await makeDirectories(storeDirectory, STORE_MODE);
  } catch (cause) {
    const message = `Cannot make the store's directory "${storeDirectory}": ${reasonOf(cause)}`;
    throw new ToolError("ERR_STORE_ACCESS", message, {
      cause,
      hint: "Choose another store with --store",
      fault: "host",
    });
  }
}
