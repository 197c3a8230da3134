import { randomBytes } from "node:crypto";
import { copyFile, lstat, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { dirname, posix } from "node:path";
import { AsyncDisposableStack } from "../base/async-disposable-stack.ts";
import { messageOf, systemCode, ToolError } from "../base/errors.ts";
import { makeDirectories } from "../linux/make-directories.ts";
import { resolveInRoot } from "../linux/resolve-in-root.ts";
import type { Sandbox } from "../linux/sandbox.ts";
import type { BuildContext } from "./build-context.ts";

/**
 * Copies host files into the image, each to the same path, for as long as the scope
 * lasts. What stood there, also a dangling symlink, is then put back, unless a
 * provisioner has replaced our copy: then the provisioner's stays.
 */
export async function copyFiles(context: BuildContext, sandbox: Sandbox, root: string): Promise<AsyncDisposable> {
  const { config, runStep, emit } = context;
  await using undo = new AsyncDisposableStack();
  if (config.copy_files.length === 0) return undo.move();
  await runStep(`Copying ${config.copy_files.join(", ")} into the image`, async () => {
    for (const path of config.copy_files) {
      context.signal.throwIfAborted();
      try {
        undo.use(await lendFile(path, sandbox.pathFromHere(root), (text) => emit({ type: "message", text })));
      } catch (cause) {
        const hint =
          systemCode(cause) === "ENOENT" ? "Take it out of copy_files; copy_files = [] copies nothing" : undefined;
        throw new ToolError("ERR_COPY_FILE", `Cannot copy "${path}" into the image: ${messageOf(cause)}`, {
          cause,
          hint,
        });
      }
    }
  });
  return undo.move();
}

async function lendFile(path: string, rootDirectory: string, tell: (text: string) => void): Promise<AsyncDisposable> {
  if (!(await stat(path)).isFile()) throw new Error("it is not a regular file");
  const parent = await resolveInRoot(rootDirectory, posix.dirname(path));
  const made = await makeDirectories(parent.outsidePath);
  const target = posix.join(parent.outsidePath, posix.basename(path));
  // A dot file beside it: the same file system, so that rename keeps every attribute, and run-parts(8) skips it.
  const saved = posix.join(dirname(target), `.amibake-saved-${randomBytes(6).toString("hex")}`);
  const hadOriginal = await moveIfThere(target, saved);
  try {
    await copyFile(path, target);
  } catch (error) {
    if (hadOriginal) await rename(saved, target);
    throw error;
  }
  const ours = await fingerprint(target);
  return {
    async [Symbol.asyncDispose]() {
      const now = await fingerprint(target);
      if (now !== undefined && now !== ours) {
        tell(`"${path}" stays as a provisioner wrote it`);
        if (hadOriginal) await rm(saved, { force: true });
      } else if (hadOriginal) {
        await rename(saved, target);
      } else {
        await rm(target, { force: true });
      }
      // As far as a provisioner put nothing into them.
      for (const directory of made.toReversed()) await rmdir(directory).catch(() => {});
    },
  };
}

async function moveIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}

/** Tells our copy from another file. The content too: an editor may write in place within one clock tick. */
async function fingerprint(path: string): Promise<string | undefined> {
  try {
    const status = await lstat(path, { bigint: true });
    if (!status.isFile()) return `${status.ino} ${status.mode}`;
    return `${status.ino} ${status.mode} ${status.uid}:${status.gid} ${(await readFile(path)).toString("base64")}`;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}
