import { resolve } from "node:path";
import { formatBytes } from "../../base/units.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { requestOfStore } from "./local-request.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";

export interface LocalImportOptions extends StoreOptions {
  readonly name: string;
  readonly description?: string;
  readonly architecture?: "x86_64" | "arm64" | "i386";
  /** GiB */
  readonly size?: number;
  readonly json?: boolean;
}

/** Makes an image of a disk or a tarball. */
export async function runLocalImport(
  file: string,
  options: LocalImportOptions,
  context: CliContext,
): Promise<ExitCode> {
  const request = {
    path: resolve(file),
    name: options.name,
    description: options.description,
    architecture: options.architecture ?? hostArchitecture(),
    sizeGib: options.size,
  };
  const storeDirectory = localStoreDirectory(options, context.environment);
  const result = await requestOfStore(storeDirectory, "import", request, context);
  if (options.json) {
    context.stdout.write(`${JSON.stringify({ type: "local-import", ...result })}\n`);
  } else {
    const size = `${result.sizeGib} GiB, ${formatBytes(result.dataBytes)} of data`;
    context.stdout.write(`${result.imageId}  ${result.snapshotId}  ${result.name}  (${size})\n`);
  }
  return 0;
}

function hostArchitecture(): "x86_64" | "arm64" {
  return process.arch === "arm64" ? "arm64" : "x86_64";
}
