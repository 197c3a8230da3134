import { ToolError } from "../../base/errors.ts";
import type { BlockHash } from "./block-store.ts";
import type { SnapshotContent } from "./disk-storage.ts";

/** What a snapshot is made of. Blocks that are not listed are all zero. */
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

const FORMAT = "amibake-snapshot-1";
const INDEX_BYTES = 4;
const HASH_BYTES = 32;
const ENTRY_BYTES = INDEX_BYTES + HASH_BYTES;

/** A line "amibake-snapshot-1 SIZE COUNT", then for each block its index (32 bits, big endian) and its SHA-256. */
export function encodeManifest({ sizeBytes, blocks }: SnapshotManifest): Buffer {
  const header = Buffer.from(`${FORMAT} ${sizeBytes} ${blocks.length}\n`);
  const bytes = Buffer.alloc(header.length + blocks.length * ENTRY_BYTES);
  header.copy(bytes);
  let position = header.length;
  for (const { blockIndex, hash } of blocks) {
    bytes.writeUInt32BE(blockIndex, position);
    bytes.write(hash, position + INDEX_BYTES, "hex");
    position += ENTRY_BYTES;
  }
  return bytes;
}

/** @throws {ToolError} ERR_STORE_DAMAGED if it is not a whole manifest. */
export function decodeManifest(bytes: Buffer, path: string): SnapshotManifest {
  const headerEnd = bytes.indexOf("\n");
  const [format, size, count] = bytes.subarray(0, Math.max(0, headerEnd)).toString().split(" ");
  const sizeBytes = Number(size);
  const blockCount = Number(count);
  const start = headerEnd + 1;
  if (format !== FORMAT || bytes.length !== start + blockCount * ENTRY_BYTES) {
    throw new ToolError("ERR_STORE_DAMAGED", `Cannot read the snapshot manifest "${path}": it is not complete`, {
      hint: "Restore the store from a copy, or delete it with: amibake local reset",
      fault: "host",
    });
  }
  const blocks = Array.from({ length: blockCount }, (_, index) => {
    const position = start + index * ENTRY_BYTES;
    const blockIndex = bytes.readUInt32BE(position);
    return { blockIndex, hash: bytes.toString("hex", position + INDEX_BYTES, position + ENTRY_BYTES) };
  });
  return { sizeBytes, blocks };
}

export function contentOf({ sizeBytes, blocks }: SnapshotManifest): SnapshotContent {
  return { sizeBytes, blockCount: blocks.length };
}
