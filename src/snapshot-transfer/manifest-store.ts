import { readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, systemCode, ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import { decodeManifest, encodeManifest, type SnapshotManifest } from "../base/snapshot-manifest.ts";
import { unfinishedPath, writeFileAtomically } from "../linux/files/atomic-file.ts";
import { makeDirectories } from "../linux/files/make-directories.ts";
import { SYSTEM_STATE_DIRECTORY, stateDirectory } from "./state-directory.ts";

/** What this host knows of the content of snapshots that it made: the hash of every block. */
export interface ManifestStore {
  /** @returns undefined if nothing is known of the snapshot. */
  read(snapshotId: SnapshotId): Promise<SnapshotManifest | undefined>;
  write(snapshotId: SnapshotId, manifest: SnapshotManifest): Promise<void>;
  /** One that is not there is success. */
  remove(snapshotId: SnapshotId): Promise<void>;
  /** Removes what a crash in mid-write has left of it. Not while it may be written. */
  removeUnfinished(snapshotId: SnapshotId): Promise<void>;
  pathOf(snapshotId: SnapshotId): string;
}

/** Of the user who runs this; what root knows is read too. */
export function manifestStore(environment: Readonly<Record<string, string | undefined>>): ManifestStore {
  const own = stateDirectory(environment);
  const pathIn = (directory: string, snapshotId: SnapshotId) =>
    join(directory, "manifests", `${checkedId(snapshotId)}.manifest`);
  const pathOf = (snapshotId: SnapshotId) => pathIn(own, snapshotId);
  return {
    pathOf,
    async read(snapshotId) {
      const found = await readManifest(pathOf(snapshotId));
      if (found !== undefined || own === SYSTEM_STATE_DIRECTORY || environment["AMIBAKE_STATE_DIR"]) return found;
      return readManifest(pathIn(SYSTEM_STATE_DIRECTORY, snapshotId));
    },
    async write(snapshotId, manifest) {
      const path = pathOf(snapshotId);
      try {
        await makeDirectories(dirname(path));
        await writeFileAtomically(path, encodeManifest(manifest), 0o644);
      } catch (cause) {
        throw new ToolError("ERR_MANIFEST", `Cannot write the manifest "${path}": ${messageOf(cause)}`, {
          cause,
          fault: "host",
          hint: "Set AMIBAKE_STATE_DIR to a directory of this host that can be written",
        });
      }
    },
    removeUnfinished: (snapshotId) => rm(unfinishedPath(pathOf(snapshotId)), { force: true }),
    remove: (snapshotId) => rm(pathOf(snapshotId), { force: true }),
  };
}

/**
 * @returns undefined if there is no such file.
 * @throws {ToolError} ERR_MANIFEST if it cannot be read, or is no whole manifest.
 */
export async function readManifest(path: string): Promise<SnapshotManifest | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if (systemCode(cause) === "ENOENT") return undefined;
    throw new ToolError("ERR_MANIFEST", `Cannot read the manifest "${path}": ${messageOf(cause)}`, { cause });
  }
  const manifest = decodeManifest(bytes);
  if (manifest !== undefined) return manifest;
  throw new ToolError("ERR_MANIFEST", `Cannot read the manifest "${path}": it is damaged, or none`, {
    hint: "Remove it; verifying needs one that was kept elsewhere: amibake verify --manifest FILE",
  });
}

// It becomes a part of a path.
function checkedId(snapshotId: SnapshotId): SnapshotId {
  if (/^snap-[0-9a-z]+$/.test(snapshotId)) return snapshotId;
  throw new ToolError("ERR_USAGE", `Cannot use "${snapshotId}": it is no id of a snapshot`, { fault: "usage" });
}
