// Structurally the Communicator of src/provision: this folder may not import it.
import { chmod, lstat, readdir, readlink, rm, symlink } from "node:fs/promises";
import { basename, posix, resolve } from "node:path";
import { reasonOf, systemCode, ToolError } from "../../base/errors.ts";
import { makeDirectories } from "../files/make-directories.ts";
import { copyContent, fileKind, openToRead, openToWrite } from "../files/regular-file.ts";
import { resolveInRoot } from "../files/resolve-in-root.ts";
import { ROOM_HINT } from "../mounts/file-system-room.ts";
import type { WrapCommand } from "../mounts/mount.ts";
import type { Launcher, Sandbox } from "./sandbox.ts";
import type { SandboxProcess } from "./sandbox-processes.ts";

export interface ChrootOptions {
  readonly sandbox: Sandbox;
  /** The image's root directory, as the sandbox sees it. */
  readonly mountpoint: string;
  /** The whole environment of commands in the image. */
  readonly environment: Readonly<Record<string, string>>;
  readonly wrap: WrapCommand;
  /** Starts the commands. */
  readonly launcher?: Launcher | undefined;
  /** Told of processes that were ended because a file was to be moved. */
  readonly onProcessesEnded: (processes: readonly SandboxProcess[]) => void;
}

const PROCESS_GRACE_MS = 2000;

/** Runs commands and moves files in a mounted image. Paths of the image never lead out of it. */
export function chrootCommunicator({
  sandbox,
  mountpoint,
  environment,
  wrap,
  launcher,
  onProcessesEnded,
}: ChrootOptions) {
  const rootDirectory = sandbox.pathFromHere(mountpoint);

  let rootDevice: number | undefined;

  /** A provisioner can unmount the root, lazily, or mount over it. What is at its place then is not the image. */
  async function checkRoot(): Promise<void> {
    const { dev } = await lstat(rootDirectory);
    rootDevice ??= dev;
    if (dev === rootDevice) return;
    throw new ToolError(
      "ERR_ROOT_COVERED",
      `"${mountpoint}" is not the image any more: a provisioner unmounted or covered it`,
      {
        hint: "Let no script mount on /, or unmount it",
      },
    );
  }

  /** Before every transfer: a process of the image could swap a directory for a link between our look and our write. */
  async function endProcesses(): Promise<void> {
    const ended = await sandbox.endProcesses(PROCESS_GRACE_MS);
    if (ended.length > 0) onProcessesEnded(ended);
    await checkRoot();
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
      await checkRoot();
      const argv = ["chroot", mountpoint, "/bin/sh", "-c", commandLine];
      const result = await sandbox.runInImage(wrap(argv), {
        ...options,
        env: environment,
        launcher,
        hasNamedOutput: true,
      });
      return result.exitCode;
    },

    async uploadBytes(
      content: Uint8Array,
      target: string,
      options: { mode?: number; signal: AbortSignal },
    ): Promise<void> {
      await endProcesses();
      await during(`write "${target}" in the image`, UPLOAD_HINTS, async () => {
        const { outsidePath } = await resolveInRoot(rootDirectory, target);
        await makeDirectories(posix.dirname(outsidePath));
        await using file = await openToWrite(outsidePath, { shownAs: target, followLast: false, mode: options.mode });
        await file.writeFile(content, { signal: options.signal });
        // After the write, because the umask of the host must not decide.
        if (options.mode !== undefined) await file.chmod(options.mode);
      });
    },

    async uploadFile(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await during(`upload "${source}" to "${target}" in the image`, UPLOAD_HINTS, async () => {
        const path = await targetFor(source, target);
        const { outsidePath } = await resolveInRoot(rootDirectory, path);
        await copyOver(
          { path: source, shownAs: source, followLast: true },
          { path: outsidePath, shownAs: path, followLast: false },
          { signal, modeBits: 0o7777 },
        );
      });
    },

    async uploadDirectory(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await during(`upload the directory "${source}" to "${target}" in the image`, UPLOAD_HINTS, async () => {
        const into = source.endsWith("/") ? target : posix.join(target, basename(resolve(source)));
        await copyTree(resolve(source), into, {
          signal,
          modeBits: 0o7777,
          readFrom: async (path) => path,
          writeTo: async (path, followLast) => (await resolveInRoot(rootDirectory, path, { followLast })).outsidePath,
        });
      });
    },

    async downloadFile(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await makeDestination(posix.dirname(target));
      await during(`download "${source}" of the image to "${target}"`, DOWNLOAD_HINTS, async () => {
        const found = await resolveInRoot(rootDirectory, source);
        if (!found.exists) throw new ToolError("ERR_IMAGE_PATH", `"${source}" does not exist in the image`);
        await copyOver(
          { path: found.outsidePath, shownAs: source, followLast: false },
          { path: target, shownAs: target, followLast: true },
          { signal, modeBits: DOWNLOADED_MODE_BITS },
        );
      });
    },

    async downloadDirectory(source: string, target: string, { signal }: { signal: AbortSignal }): Promise<void> {
      await endProcesses();
      await makeDestination(target);
      await during(`download the directory "${source}" of the image to "${target}"`, DOWNLOAD_HINTS, async () => {
        const into = source.endsWith("/") ? target : posix.join(target, posix.basename(source));
        await copyTree(source, into, {
          signal,
          modeBits: DOWNLOADED_MODE_BITS,
          readFrom: async (path) =>
            (await resolveInRoot(rootDirectory, path, { followLast: path === source })).outsidePath,
          writeTo: replaceSymlink,
        });
      });
    },

    // Not by a command in the image: to enter it takes longer than all else.
    async removeFile(path: string): Promise<void> {
      await endProcesses();
      await during(`remove "${path}" in the image`, UPLOAD_HINTS, async () => {
        const { outsidePath } = await resolveInRoot(rootDirectory, path, { followLast: false });
        await rm(outsidePath, { force: true });
      });
    },

    async isDirectory(path: string): Promise<boolean> {
      await endProcesses();
      return isDirectory(path);
    },
  };
}

/** @param hints by the code of a system error. */
async function during<T>(what: string, hints: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Error && cause.name === "AbortError") throw cause;
    const hint = hints[systemCode(cause) ?? ""];
    throw new ToolError("ERR_TRANSFER", `Cannot ${what}: ${reasonOf(cause)}`, { cause, hint });
  }
}

const UPLOAD_HINTS = {
  ENOSPC: `The image's file system is full. ${ROOM_HINT}`,
  EROFS: "Something made the image's file system read-only, such as an error of its disk: see dmesg",
  EIO: "The volume, or the disk of the local cloud's store, failed: see dmesg",
};
const DOWNLOAD_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "Make room on this host, or name another destination: its file system is full (df)",
  EDQUOT: "Make room on this host, or name another destination: the quota is used up",
  EROFS: "Name another destination: its file system is read-only",
};

/** For a download. */
async function makeDestination(directory: string): Promise<void> {
  try {
    await makeDirectories(directory);
  } catch (cause) {
    throw new ToolError("ERR_FILE_DESTINATION", `Cannot make the directory "${directory}": ${reasonOf(cause)}`, {
      cause,
      hint: DOWNLOAD_HINTS[systemCode(cause) ?? ""] ?? 'Correct "destination": it is a path of this host',
    });
  }
}

// No program of the image may run as root on the host just because root downloaded it.
const DOWNLOADED_MODE_BITS = 0o777;

interface FileEnd {
  readonly path: string;
  readonly shownAs: string;
  readonly followLast: boolean;
}

async function copyOver(
  source: FileEnd,
  target: FileEnd,
  { signal, modeBits }: Pick<TreeEnds, "signal" | "modeBits">,
): Promise<void> {
  signal.throwIfAborted();
  await using from = await openToRead(source.path, source);
  await makeDirectories(posix.dirname(target.path));
  await using to = await openToWrite(target.path, target);
  await copyContent(from, to, signal);
  await to.chmod((await from.stat()).mode & modeBits);
}

/** A link that an earlier download wrote must not lead this one elsewhere on the host. */
async function replaceSymlink(path: string): Promise<string> {
  const status = await lstat(path).catch(() => undefined);
  if (status?.isSymbolicLink()) await rm(path);
  return path;
}

interface TreeEnds {
  readonly signal: AbortSignal;
  /** The permission bits that are kept. */
  readonly modeBits: number;
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
    await chmod(to, status.mode & ends.modeBits);
    for (const name of await readdir(from)) {
      await copyTree(posix.join(source, name), posix.join(target, name), ends);
    }
  } else if (status.isFile()) {
    const to = await ends.writeTo(target, true);
    // Both ends are resolved: what stands there now is no link, or it was put there meanwhile.
    await copyOver(
      { path: from, shownAs: source, followLast: false },
      { path: to, shownAs: target, followLast: false },
      ends,
    );
  } else {
    throw new ToolError(
      "ERR_TRANSFER",
      `"${source}" is ${fileKind(status)}: only files, directories and links are copied`,
    );
  }
}
