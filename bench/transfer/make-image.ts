import { createCipheriv } from "node:crypto";
import { open } from "node:fs/promises";
import { MIB } from "../../src/base/units.ts";

const SEGMENT_BYTES = 64 * MIB;

/** Writes a sparse disk of which every other 64 MiB are random: the same for each seed. */
export async function makeImage(path: string, { sizeBytes, seed }: { sizeBytes: number; seed: number }): Promise<void> {
  await using file = await open(path, "w");
  await file.truncate(sizeBytes);
  // A stream cipher of zeros is the fastest source of random bytes that can be repeated.
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(MIB);
  for (let start = 0; start < sizeBytes; start += 2 * SEGMENT_BYTES) {
    for (let offset = 0; offset < SEGMENT_BYTES; offset += MIB) {
      await file.write(cipher.update(zeros), 0, MIB, start + offset);
    }
  }
  await file.datasync();
}
