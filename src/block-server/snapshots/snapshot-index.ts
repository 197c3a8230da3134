// What is known of a snapshot, in two files beside each other: which blocks it has, written once, and the hashes of
// those that have been fetched, appended as they come. Nothing is synced: each part carries a checksum, and what a
// crash leaves broken is not there.
import { createHash } from "node:crypto";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { crc32 } from "node:zlib";
import type { BlockHash as IndexedHash } from "../../base/block-hashes.ts";
import { writeFileAtomically } from "../../linux/files/atomic-file.ts";
import { makeDirectories } from "../../linux/files/make-directories.ts";
import { HASH_BYTES } from "../cache/block-hash.ts";
import { CACHE_DIRECTORY_MODE, CACHE_FILE_MODE } from "../cache/cache-layout.ts";
import type { SnapshotListing } from "./block-map.ts";

/** What a snapshot is called in all accounts and regions. */
export interface SnapshotKey {
  readonly snapshotId: string;
  /** The account whose credentials read it. */
  readonly accountId: string;
  readonly region: string;
}

const FORMAT = "amibake-blocks-1";
const INDEX_BYTES = 4;
// Index, hash, CRC-32 of both. A wrong index would be another block's content, and no hash would tell.
const ENTRY_BYTES = INDEX_BYTES + HASH_BYTES + 4;

/** @throws {RangeError} for a name that leads elsewhere. */
export function indexPath(snapshotDirectory: string, { accountId, region, snapshotId }: SnapshotKey): string {
  for (const name of [accountId, region, snapshotId]) {
    if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,99}$/.test(name)) throw new RangeError(`Cannot name a file after "${name}"`);
  }
  return join(snapshotDirectory, accountId, region, snapshotId);
}

/** @returns undefined if it is not there, or not whole. */
export async function readListing(path: string): Promise<SnapshotListing | undefined> {
  const bytes = await readFile(`${path}.blocks`).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const headerEnd = bytes.indexOf("\n") + 1;
  const [format, size, count] = bytes
    .subarray(0, Math.max(0, headerEnd - 1))
    .toString()
    .split(" ");
  const indexesEnd = headerEnd + Number(count) * INDEX_BYTES;
  if (format !== FORMAT || bytes.length !== indexesEnd + HASH_BYTES) return undefined;
  if (!checksumOf(bytes.subarray(0, indexesEnd)).equals(bytes.subarray(indexesEnd))) return undefined;
  const blockIndexes = Uint32Array.from({ length: Number(count) }, (_, position) =>
    bytes.readUInt32BE(headerEnd + position * INDEX_BYTES),
  );
  return { sizeBytes: Number(size), blockIndexes };
}

/** A line "amibake-blocks-1 SIZE COUNT", the indexes in 32 bits each, and a SHA-256 over all of it. */
export async function writeListing(path: string, { sizeBytes, blockIndexes }: SnapshotListing): Promise<void> {
  const header = Buffer.from(`${FORMAT} ${sizeBytes} ${blockIndexes.length}\n`);
  const indexes = Buffer.alloc(blockIndexes.length * INDEX_BYTES);
  for (const [position, index] of blockIndexes.entries()) indexes.writeUInt32BE(index, position * INDEX_BYTES);
  const content = Buffer.concat([header, indexes]);
  await makeDirectories(dirname(path), CACHE_DIRECTORY_MODE);
  await writeFileAtomically(`${path}.blocks`, Buffer.concat([content, checksumOf(content)]), CACHE_FILE_MODE);
}

function checksumOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

/** The hashes that are whole. */
export async function readHashes(path: string): Promise<IndexedHash[]> {
  const bytes = await readFile(`${path}.hashes`).catch(() => Buffer.alloc(0));
  const known: IndexedHash[] = [];
  for (let start = 0; start + ENTRY_BYTES <= bytes.length; start += ENTRY_BYTES) {
    const entry = bytes.subarray(start, start + ENTRY_BYTES);
    const content = entry.subarray(0, INDEX_BYTES + HASH_BYTES);
    if (crc32(content) !== entry.readUInt32BE(content.length)) continue;
    known.push({ blockIndex: entry.readUInt32BE(0), sha256: content.subarray(INDEX_BYTES) });
  }
  return known;
}

/** Appends hashes to the file of a snapshot, many at a time. It never fails: what is not written is not known later. */
export class HashAppender implements AsyncDisposable {
  readonly #path: string;
  #waiting: Buffer[] = [];
  #writing: Promise<void> | undefined;
  #file: FileHandle | undefined;
  /** Nothing is written any more. */
  #isOver = false;

  constructor(path: string) {
    this.#path = `${path}.hashes`;
  }

  add({ blockIndex, sha256 }: IndexedHash): void {
    if (this.#isOver) return;
    const entry = Buffer.alloc(ENTRY_BYTES);
    entry.writeUInt32BE(blockIndex, 0);
    entry.set(sha256, INDEX_BYTES);
    entry.writeUInt32BE(crc32(entry.subarray(0, INDEX_BYTES + HASH_BYTES)), INDEX_BYTES + HASH_BYTES);
    this.#waiting.push(entry);
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#writing;
    await this.#file?.close();
  }

  async #write(): Promise<void> {
    try {
      this.#file ??= await openToAppend(this.#path);
      while (this.#waiting.length > 0) await this.#file.appendFile(Buffer.concat(this.#waiting.splice(0)));
    } catch {
      // Such as a full disk. A part of an entry may be written: what came after it could not be read, so nothing does.
      this.#isOver = true;
    }
  }
}

/** A server that was killed may have left a part of an entry: what is appended has to begin where one begins. */
async function openToAppend(path: string): Promise<FileHandle> {
  await makeDirectories(dirname(path), CACHE_DIRECTORY_MODE);
  const file = await open(path, "a", CACHE_FILE_MODE);
  try {
    const { size } = await file.stat();
    if (size % ENTRY_BYTES !== 0) await file.truncate(size - (size % ENTRY_BYTES));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
