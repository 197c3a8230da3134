import { access, constants } from "node:fs/promises";
import { ToolError } from "../base/errors.ts";
import { hostEnvironment } from "../linux/run-command.ts";
import { isInPlainChroot } from "../linux/sandbox/plain-chroot.ts";
import type { BuildPlan } from "../template/build-plan.ts";

/** What every build runs: util-linux and coreutils, on every Linux host. */
export const REQUIRED_TOOLS = [
  ...["unshare", "nsenter", "mount", "umount", "blkid", "partx", "flock", "setpriv"],
  ...["chroot", "env", "sync"],
];

/** What amazon-direct runs besides. */
export const DIRECT_TOOLS = ["qemu-storage-daemon", "qemu-img", "fallocate"];

/**
 * Checks what the builds of these types cannot do without, before anything is made.
 *
 * @throws {ToolError} with the fault "host".
 */
export async function checkHost(types: readonly BuildPlan["type"][]): Promise<void> {
  if (process.platform !== "linux") {
    throw new ToolError("ERR_NOT_LINUX", `Cannot build on ${process.platform}: chroots and block devices need Linux`, {
      fault: "host",
      hint: "Run amibake on a Linux host",
    });
  }
  if (process.geteuid?.() !== 0) {
    throw new ToolError("ERR_NOT_ROOT", "Cannot build as an ordinary user: mounting and chroot need root", {
      fault: "host",
      hint: `Run it with sudo: sudo -E ${process.argv.slice(1).join(" ")}`,
    });
  }
  const missing: string[] = [];
  for (const tool of [...REQUIRED_TOOLS, ...(types.includes("amazon-direct") ? DIRECT_TOOLS : [])]) {
    if (!(await isInstalled(tool))) missing.push(tool);
  }
  if (missing.length > 0) {
    throw new ToolError("ERR_TOOL_MISSING", `Cannot build without ${missing.join(", ")}`, {
      fault: "host",
      hint: "Run amibake doctor: it prints the command that installs what is missing",
    });
  }
  if (!(await isInPlainChroot())) return;
  throw new ToolError("ERR_PLAIN_CHROOT", "Cannot build in a chroot: entering a mount namespace leaves it", {
    fault: "host",
    hint: PLAIN_CHROOT_HINT,
  });
}

export const PLAIN_CHROOT_HINT =
  "Run amibake in a container, or give the chroot a namespace: unshare --mount, then pivot_root (bwrap does both)";

/** Whether a command is on the path that amibake uses for its own commands. */
export async function isInstalled(tool: string): Promise<boolean> {
  for (const directory of (hostEnvironment()["PATH"] ?? "").split(":")) {
    const found = await access(`${directory}/${tool}`, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}
