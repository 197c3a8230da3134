import { runBlockServer } from "../../block-server/run-block-server.ts";
import type { CliContext } from "../cli-context.ts";
import type { ExitCode } from "../exit-codes.ts";
import { runInBackground } from "./run-in-background.ts";

export interface BlockServerFlags {
  readonly cache: string;
  readonly bytes: number;
}

/** The block server of a cache, which builds start in the background. It ends with its last client. */
export function runBlockServerCommand({ cache, bytes }: BlockServerFlags, context: CliContext): Promise<ExitCode> {
  return runInBackground<null>(context, ({ onReady, ...work }) =>
    runBlockServer({ cacheDirectory: cache, cacheBytesMax: bytes, onReady: () => onReady(null), ...work }),
  );
}
