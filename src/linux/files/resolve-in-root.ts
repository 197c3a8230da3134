import { lstat, readlink } from "node:fs/promises";
import { posix } from "node:path";
import { systemCode, ToolError } from "../../base/errors.ts";

// As the kernel's limit (path_resolution(7)).
const SYMLINKS_MAX = 40;

export interface ResolvedPath {
  /** Absolute, as seen inside the image, with every symlink on the way resolved. */
  readonly insidePath: string;
  /** The same file as this process reaches it. */
  readonly outsidePath: string;
  /** Whether it exists. Its parent may be missing too. */
  readonly exists: boolean;
}

/**
 * Finds a path of the image as the image's own processes would: absolute links
 * and `..` start at, and never leave, the image's root directory.
 *
 * It looks and then somebody else acts: end the image's processes first, or one
 * of them could swap a directory for a link in between.
 *
 * @param rootDirectory the image's root as this process reaches it.
 * @param followLast whether a symlink at the very end is followed too.
 * @throws {ToolError} for a loop of symlinks, or a file where a directory should be.
 */
export async function resolveInRoot(
  rootDirectory: string,
  path: string,
  { followLast = true }: { followLast?: boolean } = {},
): Promise<ResolvedPath> {
  if (path.includes("\0")) throw unresolvable(path, "a path cannot contain a NUL byte");
  const pending = path.split("/").reverse();
  let inside = "/";
  let symlinks = 0;
  let exists = true;
  while (pending.length > 0) {
    const name = pending.pop();
    if (name === undefined || name === "" || name === ".") continue;
    if (name === "..") {
      inside = posix.dirname(inside);
      // Above a missing directory there may be something again.
      exists = true;
      continue;
    }
    const candidate = posix.join(inside, name);
    const kind = exists ? await kindOf(rootDirectory + candidate, path) : "missing";
    if (kind === "missing") exists = false;
    const isLast = pending.every((rest) => rest === "" || rest === ".");
    if (kind === "symlink" && (followLast || !isLast)) {
      if (++symlinks > SYMLINKS_MAX) throw unresolvable(path, "too many levels of symbolic links");
      const target = await readlink(rootDirectory + candidate);
      if (target.startsWith("/")) inside = "/";
      pending.push(...target.split("/").reverse());
      continue;
    }
    if (kind === "file" && !isLast) throw unresolvable(path, `"${candidate}" is not a directory`);
    inside = candidate;
  }
  return { insidePath: inside, outsidePath: inside === "/" ? rootDirectory : rootDirectory + inside, exists };
}

async function kindOf(outsidePath: string, path: string): Promise<"missing" | "symlink" | "directory" | "file"> {
  try {
    const status = await lstat(outsidePath);
    if (status.isSymbolicLink()) return "symlink";
    return status.isDirectory() ? "directory" : "file";
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return "missing";
    throw unresolvable(path, systemCode(cause) ?? "unreadable", cause);
  }
}

function unresolvable(path: string, detail: string, cause?: unknown): ToolError {
  return new ToolError("ERR_IMAGE_PATH", `Cannot resolve "${path}" inside the image: ${detail}`, { cause });
}
