import { resolve } from "node:path";
import { formatBytes } from "../../base/units.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { requestOfStore } from "./local-request.ts";
import { localStoreDirectory, type StoreOptions } from "./local-store.ts";

export interface LocalExportOptions extends StoreOptions {
  readonly format: "raw" | "qcow2" | "vmdk" | "vhd";
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Writes the root disk of an image into a file. */
export async function runLocalExport(
  { image, file }: { readonly image: string; readonly file: string },
  options: LocalExportOptions,
  context: CliContext,
): Promise<ExitCode> {
  const request = { image, path: resolve(file), format: options.format, force: options.force ?? false };
  const storeDirectory = localStoreDirectory(options, context.environment);
  const result = await requestOfStore(storeDirectory, "export", request, context);
  const text = options.json
    ? JSON.stringify({ type: "local-export", format: options.format, ...result })
    : `${result.path}  (${options.format}, ${formatBytes(result.allocatedBytes)} on disk)`;
  context.stdout.write(`${text}\n`);
  return 0;
}
