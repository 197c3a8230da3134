import type { BuildVariables } from "../../template/deferred.ts";
import type { BuildContext } from "../build-context.ts";
import type { SourceImage } from "../image/find-source-image.ts";
import type { RootDisk } from "./root-disk.ts";

/** The disk that the build works on, as its builder makes it: the one thing in which the builders differ. */
export async function createRootDisk(
  context: BuildContext,
  source: SourceImage,
  variables: BuildVariables,
): Promise<RootDisk> {
  const { means } = context;
  // Loaded when it is known which: a build needs one of them only.
  if (means.type === "amazon-chroot") {
    const { createAttachedRootDisk } = await import("./attached/attached-root-disk.ts");
    return createAttachedRootDisk({ ...context, means }, source, variables);
  }
  const { createDirectRootDisk } = await import("./direct/direct-root-disk.ts");
  return createDirectRootDisk({ ...context, means }, source, variables);
}
