import { BLOCK_ENTRY_BYTES, BlockHashes } from "./block-hashes.ts";

/** What a snapshot is made of. Blocks that are not listed are zero; one that is listed may be. */
export interface SnapshotManifest {
  /** Size of the volume, in bytes. */
  readonly sizeBytes: number;
  readonly blocks: BlockHashes;
}

const FORMAT = "amibake-snapshot-1";
const HEADER_BYTES_MAX = 64;

/** A line "amibake-snapshot-1 SIZE COUNT", then the entries of the blocks. */
export function encodeManifest({ sizeBytes, blocks }: SnapshotManifest): Buffer {
  return Buffer.concat([Buffer.from(`${FORMAT} ${sizeBytes} ${blocks.count}\n`), blocks.bytes]);
}

/** @returns undefined if it is not a whole manifest, and nothing more. */
export function decodeManifest(bytes: Buffer): SnapshotManifest | undefined {
  const found = decodeManifestAtStart(bytes);
  return found?.lengthBytes === bytes.length ? found.manifest : undefined;
}

/**
 * A manifest with something else behind it.
 *
 * @returns undefined if there is no whole one.
 */
export function decodeManifestAtStart(
  bytes: Buffer,
): { readonly manifest: SnapshotManifest; readonly lengthBytes: number } | undefined {
  const start = bytes.subarray(0, HEADER_BYTES_MAX).indexOf("\n") + 1;
  const [format, size, count] = bytes.toString("latin1", 0, Math.max(0, start - 1)).split(" ");
  const [sizeBytes, blockCount] = [Number(size), Number(count)];
  const lengthBytes = start + blockCount * BLOCK_ENTRY_BYTES;
  if (format !== FORMAT || !Number.isInteger(sizeBytes) || !(bytes.length >= lengthBytes)) return undefined;
  const blocks = BlockHashes.packed(bytes.subarray(start, lengthBytes));
  return blocks === undefined ? undefined : { manifest: { sizeBytes, blocks }, lengthBytes };
}
