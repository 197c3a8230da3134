import { createHash } from "node:crypto";
import { ZERO_BLOCK } from "../base/zero-block.ts";

export function hashBlock(data: Uint8Array): Buffer {
  return createHash("sha256").update(data).digest();
}

/** Some 100 times as fast as hashing. */
export function isZeroBlock(data: Uint8Array): boolean {
  return Buffer.compare(data, ZERO_BLOCK) === 0;
}
