import { shellLine } from "../../base/shell-quote.ts";
import { resolveInRoot } from "../../linux/files/resolve-in-root.ts";
import type { Sandbox } from "../../linux/sandbox/sandbox.ts";
import type { BuildContext } from "../build-context.ts";
import { imageEnvironment } from "../image-root/image-environment.ts";

/** How a person gets into the image while it is mounted. */
export interface WayIn {
  /** Where the image is mounted. */
  readonly mountpoint: string;
  /** The command line to type on this host, in another terminal. */
  readonly commandLine: string;
  /** Runs a shell in the image that has our terminal. */
  openShell(): Promise<void>;
}

/** The way into an image that is mounted in the sandbox. */
export async function findWayIn(
  { environment, config }: Pick<BuildContext, "environment" | "config">,
  sandbox: Sandbox,
  mountpoint: string,
): Promise<WayIn> {
  const root = sandbox.pathFromHere(mountpoint);
  const hasBash = await resolveInRoot(root, "/bin/bash").then(
    ({ exists }) => exists,
    () => false,
  );
  const shell = hasBash ? "/bin/bash" : "/bin/sh";
  const argv = ["chroot", mountpoint, shell, "-l"];
  // Who came here by sudo needs it again in another terminal. Who is root may not have it.
  const sudo = environment["SUDO_USER"] ? ["sudo"] : [];
  return {
    mountpoint,
    commandLine: shellLine([...sudo, ...sandbox.enterCommand, ...argv]),
    async openShell() {
      await sandbox.runOnTerminal(argv, { env: imageEnvironment(environment, config.pass_environment) });
    },
  };
}
