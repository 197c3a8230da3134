import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { reasonOf, systemCode, ToolError } from "../../base/errors.ts";
import { lendHostFile, lendingHint } from "../../linux/files/lend-file.ts";
import type { Sandbox } from "../../linux/sandbox/sandbox.ts";
import type { BuildContext } from "../build-context.ts";

/**
 * Copies host files into the image, each to the same path, for as long as the scope
 * lasts. What stood there, also a dangling symlink, is then put back, unless a
 * provisioner has replaced our copy: then the provisioner's stays.
 */
export async function copyFiles(context: BuildContext, sandbox: Sandbox, root: string): Promise<AsyncDisposable> {
  const { config, runStep, emit } = context;
  await using undo = new AsyncDisposableStack();
  if (config.copy_files.length === 0) return undo.move();
  const image = { rootDirectory: sandbox.pathFromHere(root), tell: (text: string) => emit({ type: "message", text }) };
  await runStep(`Copying ${config.copy_files.join(", ")} into the image`, async () => {
    for (const path of config.copy_files) {
      context.signal.throwIfAborted();
      try {
        undo.use(await lendHostFile(path, image));
      } catch (cause) {
        throw new ToolError("ERR_COPY_FILE", `Cannot copy "${path}" into the image: ${reasonOf(cause)}`, {
          cause,
          hint: lendingHint(cause) ?? MISSING_HINTS[systemCode(cause) ?? ""],
        });
      }
    }
  });
  return undo.move();
}

const MISSING_HINTS: Readonly<Record<string, string>> = {
  ENOENT: "Take it out of copy_files; copy_files = [] copies nothing",
};
