// Structurally the Communicator of src/provision: this folder may not import it.
import { chmod, copyFile, lstat, readdir, readlink, rm, stat, symlink, writeFile } from "node:fs/promises";
import { basename, posix, resolve } from "node:path";
import { messageOf, systemCode, ToolError } from "../base/errors.ts";
import { makeDirectories } from "./make-directories.ts";
import type { WrapCommand } from "./mount.ts";
import { resolveInRoot } from "./resolve-in-root.ts";
import type { Sandbox, SandboxProcess } from "./sandbox.ts";

export interface ChrootOptions {
  readonly sandbox: Sandbox;
  /** The image's root directory, as the sandbox sees it. */
  readonly mountpoint: string;
  /** The whole environment of commands in the image. */
  readonly environment: Readonly<Record<string, string>>;
  readonly wrap: WrapCommand;
  /** Told of processes that were ended because a file was to be moved. */
  readonly onProcessesEnded: (processes: readonly SandboxProcess[]) => void;
}

const PROCESS_GRACE_MS = 2000;

/** Runs commands and moves files in a mounted image. Paths of the image never lead out of it. */
export function chrootCommunicator({ sandbox, mountpoint, environment, wrap, onProcessesEnded }: ChrootOptions) {
  const rootDirectory = sandbox.pathFromHere(mountpoint);

  /** Before every transfer: a process of the image could swap a directory for a link between our look and our write. */
  async function endProcesses(): Promise<void> {
    const ended = await sandbox.endProcesses(PROCESS_GRACE_MS);
    if (ended.length > 0) onProcessesEnded(ended);
  }

  async function isDirectory(path: string): Promise<boolean> {
    const { outsidePath, exists } = await resolveInRoot(rootDirectory, path);
    return exists && (await lstat(outsidePath)).isDirectory();
  }

  /** The path to write: into a directory, under the source's name. */
  async function targetFor(source: string, target: string): Promise<string> {
    return target.endsWith("/") || (await isDirectory(target)) ? posix.join(target, basename(source)) : target;
  }

  return {
    async run(
      commandLine: string,
      options: { signal: AbortSignal; onLine: (stream: "stdout" | "stderr", line: string) => void },
    ): Promise<number> {
      const argv = ["chroot", mountpoint, "/bin/sh", "-c", commandLine];
      const result = await sandbox.runToExit(wrap(argv), { ...options, env: environment, hasNamedOutput: true });
      return result.exitCode;
    },

    async uploadBytes(
      content: Uint8Array,
      target: string,
      options: { mode?: number; signal: AbortSignal },
    ): Promise<void> {
      await endProcesses();
      await during(`write "${target}" in the image`, async () => {
        const { outsidePath } = await resolveInRoot(rootDirectory, target);
        await makeDirectories(posix.dirname(outsidePath));
        await writeFile(outsidePath, content, { signal: options.signal });
        // After the write, because the umask of the host must not decide.
        if (options.mode !== undefined) await chmod(outsidePath, options.mode);
      });
    },

    async uploadFile(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await during(`upload "${source}" to "${target}" in the image`, async () => {
        const { outsidePath } = await resolveInRoot(rootDirectory, await targetFor(source, target));
        await copyOver(source, outsidePath, signal);
      });
    },

    async uploadDirectory(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await during(`upload the directory "${source}" to "${target}" in the image`, async () => {
        const into = source.endsWith("/") ? target : posix.join(target, basename(resolve(source)));
        await copyTree(resolve(source), into, {
          signal,
          readFrom: async (path) => path,
          writeTo: async (path, followLast) => (await resolveInRoot(rootDirectory, path, { followLast })).outsidePath,
        });
      });
    },

    async downloadFile(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await during(`download "${source}" of the image to "${target}"`, async () => {
        const found = await resolveInRoot(rootDirectory, source);
        if (!found.exists) throw new ToolError("ERR_IMAGE_PATH", `"${source}" does not exist in the image`);
        await copyOver(found.outsidePath, target, signal);
      });
    },

    async downloadDirectory(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await during(`download the directory "${source}" of the image to "${target}"`, async () => {
        const into = source.endsWith("/") ? target : posix.join(target, posix.basename(source));
        await copyTree(source, into, {
          signal,
          readFrom: async (path) =>
            (await resolveInRoot(rootDirectory, path, { followLast: path === source })).outsidePath,
          writeTo: replaceSymlink,
        });
      });
    },

    isDirectory,
  };
}

async function during<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Error && cause.name === "AbortError") throw cause;
    const hint = systemCode(cause) === "ENOSPC" ? "The file system is full: raise root_volume_size" : undefined;
    throw new ToolError("ERR_TRANSFER", `Cannot ${what}: ${messageOf(cause)}`, { cause, hint });
  }
}

async function copyOver(source: string, target: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const status = await stat(source);
  // Of a FIFO or a device a copy would not end.
  if (!status.isFile()) throw new ToolError("ERR_TRANSFER", `"${source}" is not a regular file`);
  const { mode } = status;
  await makeDirectories(posix.dirname(target));
  await copyFile(source, target);
  await chmod(target, mode & 0o7777);
}

/** A link that an earlier download wrote must not lead this one elsewhere on the host. */
async function replaceSymlink(path: string): Promise<string> {
  const status = await lstat(path).catch(() => undefined);
  if (status?.isSymbolicLink()) await rm(path);
  return path;
}

interface TreeEnds {
  readonly signal: AbortSignal;
  /** Where a path of the source side is opened. */
  readFrom(path: string): Promise<string>;
  /** Where a path of the target side is written. */
  writeTo(path: string, followLast: boolean): Promise<string>;
}

/** Copies directories, regular files and symlinks, with their permission bits. */
async function copyTree(source: string, target: string, ends: TreeEnds): Promise<void> {
  ends.signal.throwIfAborted();
  const from = await ends.readFrom(source);
  const status = await lstat(from);
  if (status.isSymbolicLink()) {
    const to = await ends.writeTo(target, false);
    await rm(to, { force: true });
    await symlink(await readlink(from), to);
  } else if (status.isDirectory()) {
    const to = await ends.writeTo(target, true);
    await makeDirectories(to);
    await chmod(to, status.mode & 0o7777);
    for (const name of await readdir(from)) {
      await copyTree(posix.join(source, name), posix.join(target, name), ends);
    }
  } else if (status.isFile()) {
    await copyOver(from, await ends.writeTo(target, true), ends.signal);
  } else {
    throw new ToolError("ERR_TRANSFER", `"${source}" is neither a file, a directory nor a symbolic link`);
  }
}
