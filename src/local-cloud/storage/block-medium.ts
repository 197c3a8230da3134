import { ToolError } from "../../base/errors.ts";

/** SHA-256 of a block, 64 hexadecimal digits. */
export type BlockHash = string;

/**
 * Where blocks lie. `BlockStore` decides which, and asks for each block one thing at a time.
 *
 */
export interface BlockMedium {
  /** Removes all blocks but those. */
  keepOnly(isKept: (hash: BlockHash) => boolean): Promise<void>;
  /** After a failure there is nothing. What was written is durable after the next `sync`. */
  write(hash: BlockHash, data: Buffer): Promise<void>;
  /** @throws {ToolError} ERR_STORE_DAMAGED if it is not what was written, as far as that shows without hashing. */
  read(hash: BlockHash, target: Buffer): Promise<void>;
  /** A block itself, as it is until it is removed; undefined if it has to be read. */
  view(hash: BlockHash): Buffer | undefined;
  remove(hash: BlockHash): Promise<void>;
  /** Makes every block that was written before this call durable. */
  sync(): Promise<void>;
  /** What a person can find it by, for messages. */
  nameOf(hash: BlockHash): string;
}

export function blockDamaged(name: string, detail: string): ToolError {
  return new ToolError("ERR_STORE_DAMAGED", `Cannot read the block "${name}": ${detail}`, {
    hint: "Restore the store from a copy, or delete it with: amibake local reset",
    fault: "host",
  });
}
