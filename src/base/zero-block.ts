import { SNAPSHOT_BLOCK_BYTES } from "./units.ts";

/** A block of zeros. Nobody writes into it. */
export const ZERO_BLOCK: Buffer = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);

/** SHA-256 of a block of zeros, in hexadecimal. */
export const ZERO_BLOCK_HASH = "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541";

/** The same, 32 bytes. */
export const ZERO_BLOCK_SHA256: Buffer = Buffer.from(ZERO_BLOCK_HASH, "hex");
