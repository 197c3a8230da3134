import { join } from "node:path";
import { messageOf, ToolError } from "../base/errors.ts";
import { namesWithSuffix } from "../linux/files/names-with-suffix.ts";
import { isThisHost } from "../linux/sandbox/process-identity.ts";
import { openUploadLog } from "./upload-log.ts";

const SUFFIX = ".upload";

/** Where the logs of uploads are. */
export function uploadDirectory(stateDirectory: string): string {
  return join(stateDirectory, "uploads");
}

/** The ids of all uploads that have a log. */
export async function listUploads(directory: string): Promise<string[]> {
  try {
    return await namesWithSuffix(directory, SUFFIX);
  } catch (cause) {
    throw new ToolError("ERR_UPLOAD_LOG", `Cannot read the logs of uploads in "${directory}": ${messageOf(cause)}`, {
      cause,
      fault: "host",
      hint: "Set AMIBAKE_STATE_DIR to the directory that the uploads had, or leave it out",
    });
  }
}

/** How many uploads of this host were interrupted and not gone on with. */
export async function countInterruptedUploads(directory: string): Promise<number> {
  let count = 0;
  for (const id of await listUploads(directory)) {
    await using log = await openUploadLog(directory, id);
    if (log?.earlier !== undefined && (await isThisHost(log.earlier.record))) count++;
  }
  return count;
}
