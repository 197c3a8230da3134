import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import type { Cloud } from "../operations/cloud.ts";

const NONCE_BYTES = 8;
const EXPIRY_BYTES = 6;
const HEAD_BYTES = NONCE_BYTES + EXPIRY_BYTES;
const CIPHER_BYTES = 16;
const CIPHER = "aes-128-ecb";

/**
 * Tokens of one listing, each for a block index. They tell nobody anything, differ from those of every other listing, and
 * are good for one purpose until they expire.
 *
 * A token is a nonce, its expiry, and the index encrypted with a key that is made of those two, of the purpose and of the
 * store's secret. So nothing has to be remembered, and a restart changes nothing.
 */
export class TokenSeries {
  readonly expiresAtMs: number;
  readonly #head: Buffer;
  readonly #key: Buffer;

  /** @param purpose what the tokens are for: the action and the snapshots. */
  constructor(cloud: Cloud, purpose: string, lifetimeMs: number) {
    this.expiresAtMs = cloud.clock.now() + lifetimeMs;
    this.#head = Buffer.alloc(HEAD_BYTES);
    randomBytes(NONCE_BYTES).copy(this.#head);
    this.#head.writeUIntBE(this.expiresAtMs, NONCE_BYTES, EXPIRY_BYTES);
    this.#key = seriesKey(cloud, purpose, this.#head);
  }

  /** In the order of the indexes. */
  tokens(indexes: readonly number[]): string[] {
    const plain = Buffer.alloc(indexes.length * CIPHER_BYTES);
    for (const [position, index] of indexes.entries()) plain.writeUInt32BE(index, position * CIPHER_BYTES);
    const encrypted = createCipheriv(CIPHER, this.#key, null).setAutoPadding(false).update(plain);
    return indexes.map((_, position) => {
      const cipher = encrypted.subarray(position * CIPHER_BYTES, (position + 1) * CIPHER_BYTES);
      return Buffer.concat([this.#head, cipher]).toString("base64");
    });
  }

  token(index: number): string {
    return this.tokens([index])[0] ?? "";
  }
}

/** @returns the index that a token is for; undefined if it has expired or is not of this purpose and store. */
export function openToken(cloud: Cloud, purpose: string, token: string): number | undefined {
  const bytes = Buffer.from(token, "base64");
  if (bytes.length !== HEAD_BYTES + CIPHER_BYTES || bytes.toString("base64") !== token) return undefined;
  const head = bytes.subarray(0, HEAD_BYTES);
  if (head.readUIntBE(NONCE_BYTES, EXPIRY_BYTES) <= cloud.clock.now()) return undefined;
  const decipher = createDecipheriv(CIPHER, seriesKey(cloud, purpose, head), null).setAutoPadding(false);
  const plain = decipher.update(bytes.subarray(HEAD_BYTES));
  // Whatever was not encrypted with this key is not followed by zeros.
  return plain.subarray(4).every((byte) => byte === 0) ? plain.readUInt32BE(0) : undefined;
}

function seriesKey(cloud: Cloud, purpose: string, head: Buffer): Buffer {
  return createHmac("sha256", storeSecret(cloud)).update(purpose).update("\0").update(head).digest().subarray(0, 16);
}

/** Made of what a store keeps secret anyhow. */
function storeSecret({ state }: Cloud): Buffer {
  const accessKeyId = state.identity.get("store")?.accessKeyId ?? "";
  const secret = state.credentials.get(accessKeyId)?.secretAccessKey ?? "";
  return createHash("sha256").update(`tokens of the EBS direct APIs ${secret}`).digest();
}
