import { systemCode, ToolError } from "../../base/errors.ts";
import { together } from "../../base/together.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { resolveInRoot } from "../../linux/files/resolve-in-root.ts";
import { mount } from "../../linux/mounts/mount.ts";
import type { Sandbox } from "../../linux/sandbox/sandbox.ts";
import type { BuildContext } from "../build-context.ts";
import { commandWrappers } from "./command-wrappers.ts";

interface ChrootMount {
  readonly type: string;
  readonly source: string;
  /** In the image, with every symlink resolved. */
  readonly target: string;
}

/**
 * Mounts what `chroot_mounts` says (type, source, path in the image) in its order.
 *
 * They belong to the mounted root: its release unmounts everything below it too.
 */
export async function mountChroot(context: BuildContext, sandbox: Sandbox, root: string): Promise<void> {
  const { config, signal, runStep } = context;
  if (config.chroot_mounts.length === 0) return;
  const { wrapMount } = commandWrappers(config);
  // None may go on while another has failed and the root is being unmounted.
  const mountAll = (mounts: readonly ChrootMount[]) =>
    together(
      mounts.map(async ({ type, source, target }) => {
        if (!(await makeMountpoint(sandbox.pathFromHere(root + target), { type, target }))) {
          context.emit({ type: "message", text: `${target} is not mounted: this host's kernel has no ${type}` });
          return;
        }
        await mount(sandbox, { type, source, mountpoint: root + target, wrap: wrapMount, signal });
      }),
    );
  const titles = config.chroot_mounts.map(([, , target]) => target);
  await runStep(`Mounting ${titles.join(", ")} in the image`, async () => {
    // Those that do not stand on each other are mounted side by side.
    let sideBySide: ChrootMount[] = [];
    for (const [type, source, path] of config.chroot_mounts) {
      let target = await targetInImage(sandbox, root, path);
      if (sideBySide.some((earlier) => isAtOrBelow(target, earlier.target) || isAtOrBelow(earlier.target, target))) {
        await mountAll(sideBySide);
        sideBySide = [];
        target = await targetInImage(sandbox, root, path);
      }
      sideBySide.push({ type, source, target });
    }
    await mountAll(sideBySide);
  });
}

/** @returns false for a file system that this kernel does not have, and shows by leaving its place in /proc out. */
async function makeMountpoint(path: string, { type, target }: Omit<ChrootMount, "source">): Promise<boolean> {
  try {
    await makeDirectories(path);
    return true;
  } catch (cause) {
    if (type === "binfmt_misc" && systemCode(cause) === "ENOENT") return false;
    // A file can be mounted on a file.
    if (type === "bind" && systemCode(cause) === "ENOTDIR") return true;
    throw new ToolError("ERR_MOUNTPOINT", `Cannot make the directory "${target}" in the image`, { cause });
  }
}

/** Resolved in the image: a symlink at /proc must not make us mount over the host's. */
async function targetInImage(sandbox: Sandbox, root: string, path: string): Promise<string> {
  const { insidePath } = await resolveInRoot(sandbox.pathFromHere(root), path);
  return insidePath === "/" ? "" : insidePath;
}

function isAtOrBelow(path: string, directory: string): boolean {
  return path === directory || path.startsWith(`${directory}/`);
}
