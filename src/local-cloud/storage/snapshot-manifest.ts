import { BlockHashes } from "../../base/block-hashes.ts";
import { ToolError } from "../../base/errors.ts";
import * as shared from "../../base/snapshot-manifest.ts";
import { ZERO_BLOCK_HASH } from "../../base/zero-block.ts";
import type { BlockHash } from "./block-medium.ts";
import type { SnapshotContent } from "./disk-storage.ts";

/** What a snapshot is made of. Blocks that are not listed are all zero; one that is listed was written so. */
export interface SnapshotManifest {
  /** Size of the volume, in bytes. */
  readonly sizeBytes: number;
  /** Ascending by index. */
  readonly blocks: readonly ManifestBlock[];
}

export interface ManifestBlock {
  readonly blockIndex: number;
  readonly hash: BlockHash;
}

/** As every manifest of amibake's: src/base/snapshot-manifest.ts. */
export function encodeManifest({ sizeBytes, blocks }: SnapshotManifest): Buffer {
  const hashes = blocks.map(({ blockIndex, hash }) => ({ blockIndex, sha256: Buffer.from(hash, "hex") }));
  return shared.encodeManifest({ sizeBytes, blocks: BlockHashes.from(hashes) });
}

/** @throws {ToolError} ERR_STORE_DAMAGED if it is not a whole manifest. */
export function decodeManifest(bytes: Buffer, path: string): SnapshotManifest {
  const { manifest, lengthBytes } = decodeManifestAtStart(bytes, path);
  if (lengthBytes !== bytes.length) throw incomplete(path);
  return manifest;
}

/**
 * A manifest with something else behind it.
 *
 * @throws {ToolError} ERR_STORE_DAMAGED if there is no whole manifest.
 */
export function decodeManifestAtStart(
  bytes: Buffer,
  path: string,
): { readonly manifest: SnapshotManifest; readonly lengthBytes: number } {
  const found = shared.decodeManifestAtStart(bytes);
  if (found === undefined) throw incomplete(path);
  const { sizeBytes } = found.manifest;
  const blocks = Array.from(found.manifest.blocks, ({ blockIndex, sha256 }) => ({
    blockIndex,
    hash: Buffer.from(sha256).toString("hex"),
  }));
  return { manifest: { sizeBytes, blocks }, lengthBytes: found.lengthBytes };
}

function incomplete(path: string): ToolError {
  return new ToolError("ERR_STORE_DAMAGED", `Cannot read the snapshot manifest "${path}": it is not complete`, {
    hint: "Restore the store from a copy, or delete it with: amibake local reset",
    fault: "host",
  });
}

export function contentOf({ sizeBytes, blocks }: SnapshotManifest): SnapshotContent {
  return { sizeBytes, blockCount: blocks.filter(({ hash }) => hash !== ZERO_BLOCK_HASH).length };
}
