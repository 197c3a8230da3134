import { BlockHashes, UNKNOWN_SHA256 } from "../base/block-hashes.ts";
import { messageOf, ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import { decodeManifest, type SnapshotManifest } from "../base/snapshot-manifest.ts";
import { openToRead } from "../linux/files/regular-file.ts";

/** What the file of the manifest post-processor says of the content of snapshots. */
interface PackerManifest {
  readonly builds?: readonly { readonly block_manifests?: readonly BlockManifest[] }[];
}

interface BlockManifest {
  readonly snapshot_id: SnapshotId;
  readonly size_bytes: number;
  /** Index and SHA-256, 64 hexadecimal digits; null if nobody knows it. */
  readonly blocks: readonly (readonly [number, string | null])[];
}

/**
 * Finds the manifest of a snapshot in a file: one that amibake keeps, or the JSON of the manifest post-processor.
 *
 * @throws {ToolError} ERR_MANIFEST if it cannot be read, or holds none of this snapshot.
 */
export async function findManifest(path: string, snapshotId: SnapshotId): Promise<SnapshotManifest> {
  let bytes: Buffer;
  try {
    // Not a pipe: the snapshots of one image are each looked for in it.
    const refuse = (kind: string) => unusable(path, `it is ${kind}, not a regular file`);
    await using file = await openToRead(path, { shownAs: path, followLast: true, refuse });
    bytes = await file.readFile();
  } catch (cause) {
    if (cause instanceof ToolError) throw cause;
    throw unusable(path, messageOf(cause), cause);
  }
  const binary = decodeManifest(bytes);
  if (binary !== undefined) return binary;
  let json: PackerManifest;
  try {
    json = JSON.parse(bytes.toString());
  } catch (cause) {
    throw unusable(path, "it is neither a manifest of blocks nor JSON", cause);
  }
  const manifests = (json?.builds ?? []).flatMap((build) => build.block_manifests ?? []);
  // The last: a file of many builds, with the newest at its end.
  const found = manifests.filter(({ snapshot_id }) => snapshot_id === snapshotId).at(-1);
  if (found === undefined) {
    const others = manifests.map(({ snapshot_id }) => snapshot_id).join(", ");
    throw unusable(path, `it says nothing of ${snapshotId}${others === "" ? "" : `, only of ${others}`}`);
  }
  return fromJson(path, found);
}

function fromJson(path: string, { snapshot_id, size_bytes, blocks }: BlockManifest): SnapshotManifest {
  const isWhole =
    Number.isSafeInteger(size_bytes) &&
    Array.isArray(blocks) &&
    blocks.every(
      ([index, hash]) => Number.isInteger(index) && index >= 0 && (hash === null || /^[0-9a-f]{64}$/.test(hash)),
    );
  if (!isWhole) throw unusable(path, `what it says of ${snapshot_id} is damaged`);
  const hashes = blocks.map(([blockIndex, hash]) => ({
    blockIndex,
    sha256: hash === null ? UNKNOWN_SHA256 : Buffer.from(hash, "hex"),
  }));
  return { sizeBytes: size_bytes, blocks: BlockHashes.from(hashes) };
}

function unusable(path: string, detail: string, cause?: unknown): ToolError {
  return new ToolError("ERR_MANIFEST", `Cannot use the manifest "${path}": ${detail}`, { cause, fault: "usage" });
}
