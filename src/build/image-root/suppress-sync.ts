import { messageOf } from "../../base/errors.ts";
import type { Launcher } from "../../linux/sandbox/sandbox.ts";
import { createSyncLauncher } from "../../linux/sandbox/sync-launcher.ts";
import type { EmitBuildEvent } from "../build-events.ts";

/** How commands in the image are started so that they wait for no disk; `undefined` where this host cannot. */
export type FindSyncLauncher = (emit: EmitBuildEvent) => Promise<Launcher | undefined>;

/**
 * Looks once for all builds of a run, and lets the first tell if it cannot be.
 *
 * What commands in the image write need not reach the disk before the build unmounts it, which writes everything
 * down. A package manager flushes thousands of times.
 */
export function createFindSyncLauncher(create: () => Promise<Launcher> = createSyncLauncher): FindSyncLauncher {
  let found: Promise<Launcher | undefined> | undefined;
  return (emit) => {
    found ??= create().catch((error: unknown) => {
      emit({ type: "message", text: `${messageOf(error)}. The build goes on, slower` });
      return undefined;
    });
    return found;
  };
}
