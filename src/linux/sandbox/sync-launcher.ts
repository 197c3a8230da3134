import { messageOf, ToolError } from "../../base/errors.ts";
import { runCommand } from "../run-command.ts";
import type { Launcher } from "./sandbox.ts";
import { syncFilter } from "./sync-filter.ts";

// bubblewrap always makes a mount namespace. It is left at once, for the sandbox's, which `nsenter` joins: only what
// that needs is put into it, because with all of the host's mounts, one that goes away meanwhile would fail the command.
const BWRAP = [
  "bwrap",
  ...["/usr", "/bin", "/lib", "/lib64"].flatMap((path) => ["--ro-bind-try", path, path]),
  ...["--bind", "/proc", "/proc"],
  ...["--seccomp", "3", "--"],
];

/**
 * A launcher for commands whose fsync and the like return at once (`syncFilter`), which has been tried out.
 *
 * @throws {ToolError} if this host cannot.
 */
export async function createSyncLauncher(architecture: string = process.arch): Promise<Launcher> {
  const program = syncFilter(architecture);
  if (program === undefined) {
    throw new ToolError(
      "ERR_SUPPRESS_SYNC",
      `Cannot suppress fsync in the image: no filter is known for ${architecture}`,
    );
  }
  const launcher: Launcher = { argv: BWRAP, program };
  try {
    // What a command of the sandbox needs of it. Some confine bubblewrap so that root has no rights in it (AppArmor).
    const argv = [...launcher.argv, "nsenter", "--mount=/proc/self/ns/mnt", "--", "true"];
    await runCommand(argv, { cwd: "/", extraFds: [program], describeAs: "bwrap" });
  } catch (cause) {
    throw new ToolError("ERR_SUPPRESS_SYNC", `Cannot suppress fsync in the image: ${messageOf(cause)}`, { cause });
  }
  return launcher;
}
