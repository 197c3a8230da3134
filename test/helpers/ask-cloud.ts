import { askDaemon } from "../../src/local-cloud/daemon/control-client.ts";
import type { ImportResult, RequestName, Requests } from "../../src/local-cloud/daemon/control-protocol.ts";

/** What the command line asks the local cloud of a store, without a process for each question. */
export async function askCloud<Name extends RequestName>(
  storeDirectory: string,
  request: Name,
  parameters: Requests[Name]["parameters"],
): Promise<Requests[Name]["result"]> {
  await using answer = await askDaemon(storeDirectory, request, parameters);
  if (answer === undefined) throw new Error("The local cloud has ended");
  return answer.result;
}

export type DiskArchitecture = "x86_64" | "arm64";
export const HOST_ARCHITECTURE: DiskArchitecture = process.arch === "arm64" ? "arm64" : "x86_64";

/** As `amibake local import`. */
export function importDisk(
  storeDirectory: string,
  disk: { readonly path: string; readonly name: string; readonly architecture?: DiskArchitecture },
): Promise<ImportResult> {
  return askCloud(storeDirectory, "import", { architecture: HOST_ARCHITECTURE, ...disk });
}
