import { mkdir } from "node:fs/promises";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { mount, unmount } from "../linux/mount.ts";
import { resolveInRoot } from "../linux/resolve-in-root.ts";
import type { Sandbox } from "../linux/sandbox.ts";
import type { BuildContext } from "./build-context.ts";
import { commandWrappers } from "./command-wrappers.ts";

/** Mounts what `chroot_mounts` says (type, source, path in the image) in its order; unmounts in reverse. */
export async function mountChroot(context: BuildContext, sandbox: Sandbox, root: string): Promise<AsyncDisposable> {
  const { config, signal, runStep } = context;
  const { wrapMount, wrapUnmount } = commandWrappers(config);
  await using undo = new AsyncDisposableStack();
  const targets = config.chroot_mounts.map(([, , target]) => target);
  if (targets.length === 0) return undo.move();
  await runStep(`Mounting ${targets.join(", ")} in the image`, async () => {
    for (const [type, source, target] of config.chroot_mounts) {
      // Resolved in the image: a symlink at /proc must not make us mount over the host's.
      const { insidePath, outsidePath } = await resolveInRoot(sandbox.pathFromHere(root), target);
      await mkdir(outsidePath, { recursive: true, mode: 0o755 });
      const mountpoint = root + (insidePath === "/" ? "" : insidePath);
      await mount(sandbox, { type, source, mountpoint, wrap: wrapMount, signal });
      undo.defer(() => unmount(sandbox, mountpoint, wrapUnmount));
    }
  });
  return undo.move();
}
