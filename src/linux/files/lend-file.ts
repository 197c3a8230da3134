import { createHash, randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, open, rename, rm, rmdir } from "node:fs/promises";
import { posix } from "node:path";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { reasonOf, systemCode, ToolError } from "../../base/errors.ts";
import { NEVER } from "../../base/never.ts";
import { ROOM_HINT } from "../mounts/file-system-room.ts";
import { makeDirectories } from "./make-directories.ts";
import { copyContent, openToRead, openToWrite } from "./regular-file.ts";
import { resolveInRoot } from "./resolve-in-root.ts";

export interface LendingImage {
  /** The image's root as this process reaches it. */
  readonly rootDirectory: string;
  /** Told where something is not as it was before, because a provisioner wanted it so. */
  readonly tell: (text: string) => void;
}

/** Lends a host file to the image, at the same path, with its permission bits. */
export async function lendHostFile(path: string, image: LendingImage): Promise<AsyncDisposable> {
  await using source = await openToRead(path, { shownAs: path, followLast: true });
  return await lendFile(path, image, async (file) => {
    await copyContent(source, file, NEVER);
    await file.chmod((await source.stat()).mode & 0o777);
  });
}

/**
 * Puts a file into an image for as long as the scope lasts. What stood there is then put back, unless a provisioner
 * has replaced ours. End the image's processes before the end of the scope.
 *
 * @param write fills the new file and sets its permission bits.
 * @throws {ToolError} at the end of the scope, if what stood there cannot be put back.
 */
export async function lendFile(
  path: string,
  { rootDirectory, tell }: LendingImage,
  write: (file: FileHandle) => Promise<void>,
): Promise<AsyncDisposable> {
  await using undo = new AsyncDisposableStack();
  const parent = await resolveInRoot(rootDirectory, posix.dirname(path));
  const made = await makeDirectories(parent.outsidePath);
  undo.defer(() => removeDirectories(made, rootDirectory));
  // Held open: wherever a provisioner moves the directory, or a link to elsewhere that it puts in its place, this is it.
  const directory = await open(parent.outsidePath, O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  undo.defer(() => directory.close());
  const target = join(directory, posix.basename(path));
  // A dot file beside it: the same file system, so that rename keeps every attribute, and run-parts(8) skips it.
  const saved = join(directory, `.amibake-saved-${randomBytes(6).toString("hex")}`);
  const hadOriginal = await moveIfThere(target, saved);
  const giveBack = () => (hadOriginal ? rename(saved, target) : rm(target, { force: true }));
  try {
    await using file = await openToWrite(target, { shownAs: path, followLast: false });
    await write(file);
  } catch (error) {
    await giveBack();
    throw error;
  }
  const ours = await fingerprint(target);
  undo.defer(async () => {
    try {
      const outcome = await takeBack({ target, saved, hadOriginal, ours, directory, giveBack });
      if (outcome !== undefined) tell(`"${path}" ${outcome}`);
    } catch (cause) {
      throw new ToolError("ERR_COPY_FILE", `Cannot give back "${path}" in the image: ${reasonOf(cause)}`, {
        cause,
        hint: GIVE_BACK_HINTS[systemCode(cause) ?? ""],
      });
    }
  });
  return undo.move();
}

/** What to do where a file could not be put into an image. */
export function lendingHint(error: unknown): string | undefined {
  return LENDING_HINTS[systemCode(error) ?? ""];
}

const LENDING_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: `The image's file system is full. ${ROOM_HINT}`,
  EROFS: "Something made the image's file system read-only, such as an error of its disk: see dmesg",
  EPERM: "What stands there may be immutable (lsattr): start from an image in which it is not",
};

const GIVE_BACK_HINTS: Readonly<Record<string, string>> = {
  ENOENT: "A provisioner removed the original, kept beside it as .amibake-saved-…: let it leave that file alone",
  EROFS: "A provisioner made the image read-only: let it undo that at its end",
};

/** open(2): "a file descriptor that can be used to indicate a location". Node has no name for it. */
const O_PATH = 0o10000000;

function join(directory: FileHandle, name: string): string {
  return `/proc/self/fd/${directory.fd}/${name}`;
}

interface Loan {
  readonly target: string;
  readonly saved: string;
  readonly hadOriginal: boolean;
  readonly ours: string | undefined;
  readonly directory: FileHandle;
  readonly giveBack: () => Promise<void>;
}

/** @returns what to tell, if it is not simply as it was before. */
async function takeBack({ target, saved, hadOriginal, ours, directory, giveBack }: Loan): Promise<string | undefined> {
  if ((await directory.stat()).nlink === 0) return "is not given back: a provisioner removed its directory";
  const now = await fingerprint(target);
  if (now === undefined || now === ours) {
    try {
      await giveBack();
      return undefined;
    } catch (error) {
      // Such as after `chattr +i /etc/resolv.conf`.
      if (systemCode(error) !== "EPERM" || now === undefined) throw error;
    }
  }
  if (hadOriginal) await rm(saved, { force: true, recursive: true });
  return now === ours ? "stays: a provisioner made it immutable" : "stays as a provisioner wrote it";
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

// Of a larger file only its attributes count: a provisioner may have left anything there.
const HASHED_BYTES_MAX = 16 * 1024 ** 2;

/** Tells our copy from another file. The content too: an editor may write in place within one clock tick. */
async function fingerprint(path: string): Promise<string | undefined> {
  try {
    const status = await lstat(path);
    const attributes = `${status.ino} ${status.mode} ${status.uid}:${status.gid} ${status.size}`;
    if (!status.isFile() || status.size > HASHED_BYTES_MAX) return `${attributes} ${status.mtimeMs}`;
    await using file = await openToRead(path, { shownAs: path, followLast: false });
    return `${attributes} ${createHash("sha256")
      .update(await file.readFile())
      .digest("hex")}`;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Removes directories that were made, as far as a provisioner put nothing into them, nor a link in the place of one. */
async function removeDirectories(made: readonly string[], rootDirectory: string): Promise<void> {
  for (const directory of made.toReversed()) {
    const inside = directory.slice(rootDirectory.length);
    const now = await resolveInRoot(rootDirectory, inside, { followLast: false }).catch(() => undefined);
    if (now?.insidePath !== inside) return;
    // ENOTEMPTY, ENOTDIR, ENOENT: it is the provisioner's now.
    await rmdir(directory).catch(() => {});
  }
}
