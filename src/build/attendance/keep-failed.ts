import { resolve } from "node:path";
import { ToolError } from "../../base/errors.ts";
import { shellLine } from "../../base/shell-quote.ts";
import type { Sandbox } from "../../linux/sandbox/sandbox.ts";
import type { BuildContext } from "../build-context.ts";

/**
 * A resource that stays as it is at the end of its scope when the build has failed and everything is to be kept.
 *
 * @param onKept is then done instead of its release.
 */
export function keepable<T extends AsyncDisposable>(
  { failure }: Pick<BuildContext, "failure">,
  resource: T,
  onKept: () => PromiseLike<void> | void = () => {},
): T {
  return {
    ...resource,
    async [Symbol.asyncDispose]() {
      if (failure.isKeeping) await onKept();
      else await resource[Symbol.asyncDispose]();
    },
  };
}

/** As `keepable`. A sandbox with the image mounted in it outlives amibake then; an empty one is worth nothing. */
export function keepableSandbox(context: BuildContext, sandbox: Sandbox): Sandbox {
  return keepable(context, sandbox, async () => {
    const { wayIn } = context.interaction;
    if (wayIn === undefined) {
      await sandbox[Symbol.asyncDispose]();
      return;
    }
    const { mountpoint, commandLine: enterWith } = wayIn;
    await sandbox.keep(async (holder) => {
      await context.journal.intend({ kind: "sandbox", mountpoint, holder });
    });
    const removeWith = cleanCommand(context);
    context.reportLeftover({ kind: "mount", id: mountpoint, enterWith, removeWith, error: keptReason() });
  });
}

/** Why something is left behind that could have been removed. */
export function keptReason(): ToolError {
  return new ToolError("ERR_KEPT", "kept as it was when the build failed");
}

/** The command line by which a person removes all that dead builds left. */
export function cleanCommand({ environment }: Pick<BuildContext, "environment">): string {
  const stateDirectory = environment["AMIBAKE_STATE_DIR"];
  const words = [
    ...(environment["SUDO_USER"] ? ["sudo"] : []),
    ...(stateDirectory ? ["env", `AMIBAKE_STATE_DIR=${resolve(stateDirectory)}`] : []),
    ...["amibake", "clean"],
  ];
  return shellLine(words);
}
