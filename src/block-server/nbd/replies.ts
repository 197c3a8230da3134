// The replies of the transmission phase, as bytes.
import type { Socket } from "node:net";
import {
  ALLOCATION_CONTEXT_ID,
  CHUNK_FLAG_DONE,
  CHUNKS,
  SIMPLE_REPLY_MAGIC,
  STATE_HOLE_ZERO,
  STRUCTURED_REPLY_MAGIC,
} from "./protocol.ts";

/** What a client recognizes its request by. */
export type Cookie = bigint;

/** @param error 0 is success; then the data of a read follows. */
export function simpleReply(cookie: Cookie, error: number): Buffer {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32BE(SIMPLE_REPLY_MAGIC, 0);
  bytes.writeUInt32BE(error, 4);
  bytes.writeBigUInt64BE(cookie, 8);
  return bytes;
}

/** Content that follows the header of an NBD_REPLY_TYPE_OFFSET_DATA chunk. */
export function dataChunk(cookie: Cookie, offsetBytes: number, byteCount: number, isDone: boolean): Buffer {
  const bytes = Buffer.alloc(28);
  writeChunkHeader(bytes, { cookie, type: CHUNKS.offsetData, byteCount: 8 + byteCount, isDone });
  bytes.writeBigUInt64BE(BigInt(offsetBytes), 20);
  return bytes;
}

export function holeChunk(cookie: Cookie, offsetBytes: number, byteCount: number, isDone: boolean): Buffer {
  const bytes = Buffer.alloc(32);
  writeChunkHeader(bytes, { cookie, type: CHUNKS.offsetHole, byteCount: 12, isDone });
  bytes.writeBigUInt64BE(BigInt(offsetBytes), 20);
  bytes.writeUInt32BE(byteCount, 28);
  return bytes;
}

/** @param offsetBytes where the error is, if it is of a part of the request. */
export function errorChunk(
  cookie: Cookie,
  { error, message, offsetBytes }: { error: number; message: string; offsetBytes?: number },
  isDone: boolean,
): Buffer {
  // Longer strings are not valid.
  const text = Buffer.from(message).subarray(0, 4096);
  const hasOffset = offsetBytes !== undefined;
  const bytes = Buffer.alloc(26 + text.length + (hasOffset ? 8 : 0));
  const type = hasOffset ? CHUNKS.errorOffset : CHUNKS.error;
  writeChunkHeader(bytes, { cookie, type, byteCount: bytes.length - 20, isDone });
  bytes.writeUInt32BE(error, 20);
  bytes.writeUInt16BE(text.length, 24);
  text.copy(bytes, 26);
  if (hasOffset) bytes.writeBigUInt64BE(BigInt(offsetBytes), 26 + text.length);
  return bytes;
}

export function emptyChunk(cookie: Cookie): Buffer {
  const bytes = Buffer.alloc(20);
  writeChunkHeader(bytes, { cookie, type: CHUNKS.none, byteCount: 0, isDone: true });
  return bytes;
}

export function blockStatusChunk(
  cookie: Cookie,
  extents: readonly { readonly byteCount: number; readonly isHole: boolean }[],
): Buffer {
  const bytes = Buffer.alloc(24 + extents.length * 8);
  writeChunkHeader(bytes, { cookie, type: CHUNKS.blockStatus, byteCount: bytes.length - 20, isDone: true });
  bytes.writeUInt32BE(ALLOCATION_CONTEXT_ID, 20);
  for (const [index, { byteCount, isHole }] of extents.entries()) {
    bytes.writeUInt32BE(byteCount, 24 + index * 8);
    bytes.writeUInt32BE(isHole ? STATE_HOLE_ZERO : 0, 28 + index * 8);
  }
  return bytes;
}

function writeChunkHeader(
  bytes: Buffer,
  header: { cookie: Cookie; type: number; byteCount: number; isDone: boolean },
): void {
  bytes.writeUInt32BE(STRUCTURED_REPLY_MAGIC, 0);
  bytes.writeUInt16BE(header.isDone ? CHUNK_FLAG_DONE : 0, 4);
  bytes.writeUInt16BE(header.type, 6);
  bytes.writeBigUInt64BE(header.cookie, 8);
  bytes.writeUInt32BE(header.byteCount, 16);
}

/** Sends all of it in one piece. Resolves when the kernel has it, or the connection is gone. */
export function send(socket: Socket, ...parts: readonly Uint8Array[]): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    socket.cork();
    for (const [index, part] of parts.entries()) {
      if (index < parts.length - 1) socket.write(part);
      // Called with an error too, when the connection is lost.
      else socket.write(part, () => resolve());
    }
    socket.uncork();
  });
}
