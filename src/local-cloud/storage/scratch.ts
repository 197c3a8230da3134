// Work on the way in or out of a store. Whatever is left of it when a process is killed goes at the next opening.
import { randomUUID } from "node:crypto";
import { mkdtemp, readdir, readlink, rm, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { type StoreLayout, UNFINISHED } from "./store-layout.ts";

export interface Scratch extends AsyncDisposable {
  readonly path: string;
}

const OUTSIDE = "outside-";

/** A new directory on the store's file system. Removed when disposed of. */
export async function openScratch({ scratchDirectory }: StoreLayout): Promise<Scratch> {
  const path = await mkdtemp(join(scratchDirectory, "work-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/**
 * Keeps in mind a file that is being written outside of the store: a symlink to it, which the next opening follows if
 * this process is killed. Disposing of it forgets the file.
 *
 * @param path absolute; hidden, and it ends as `UNFINISHED` says.
 */
export async function noteUnfinished({ scratchDirectory }: StoreLayout, path: string): Promise<AsyncDisposable> {
  if (!isUnfinished(path)) throw new RangeError(`Cannot keep "${path}" in mind: it may be somebody else's`);
  const link = join(scratchDirectory, OUTSIDE + randomUUID());
  await symlink(path, link);
  return { [Symbol.asyncDispose]: () => rm(link, { force: true }) };
}

/** Removes what a killed process left. */
export async function emptyScratch({ scratchDirectory }: StoreLayout): Promise<void> {
  for (const entry of await readdir(scratchDirectory, { withFileTypes: true })) {
    const path = join(scratchDirectory, entry.name);
    if (entry.isSymbolicLink() && entry.name.startsWith(OUTSIDE)) await removeOutside(await readlink(path));
    await rm(path, { recursive: true, force: true });
  }
}

async function removeOutside(path: string): Promise<void> {
  if (!isUnfinished(path)) return;
  // Its file system may be gone or read-only by now: the store opens all the same.
  await rm(path, { force: true }).catch(() => {});
}

function isUnfinished(path: string): boolean {
  return path.startsWith("/") && basename(path).startsWith(".") && path.endsWith(UNFINISHED);
}
