// The handshake: a client looks around among the exports, agrees on how it will be answered, and chooses one.
import type { Socket } from "node:net";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { NbdExport } from "./nbd-export.ts";
import {
  ALLOCATION_CONTEXT,
  ALLOCATION_CONTEXT_ID,
  GREETING_MAGIC,
  HANDSHAKE_FLAGS,
  INFO_TYPES,
  OPTION_MAGIC,
  OPTION_REPLIES,
  OPTION_REPLY_MAGIC,
  OPTIONS,
  REQUEST_BYTES_MAX,
  TRANSMISSION_FLAGS,
} from "./protocol.ts";

export interface Session {
  readonly disk: NbdExport;
  readonly hasStructuredReplies: boolean;
  readonly hasAllocationContext: boolean;
}

interface Handshake {
  readonly exports: ReadonlyMap<string, NbdExport>;
  readonly reader: ByteReader;
  readonly socket: Socket;
  /** Whether the 124 zeroes after the answer to the oldest option are left out. */
  noZeroes: boolean;
  hasStructuredReplies: boolean;
  /** The export that the allocation context was asked for: it is of that one only. */
  allocationContextOf: NbdExport | undefined;
}

// Names have up to 4,096 bytes. What is longer than this asks for nothing that is served here.
const OPTION_BYTES_MAX = 65_536;
const NOTHING = Buffer.alloc(0);

/** @returns undefined if the client left, or what it says is not NBD: then there is nothing to be answered. */
export async function negotiate(
  exports: ReadonlyMap<string, NbdExport>,
  reader: ByteReader,
  socket: Socket,
): Promise<Session | undefined> {
  const greeting = Buffer.alloc(18);
  greeting.writeBigUInt64BE(GREETING_MAGIC, 0);
  greeting.writeBigUInt64BE(OPTION_MAGIC, 8);
  greeting.writeUInt16BE(HANDSHAKE_FLAGS.fixedNewstyle | HANDSHAKE_FLAGS.noZeroes, 16);
  socket.write(greeting);
  const clientFlags = (await reader.take(4))?.readUInt32BE(0);
  const known = HANDSHAKE_FLAGS.fixedNewstyle | HANDSHAKE_FLAGS.noZeroes;
  if (clientFlags === undefined || clientFlags > known) return undefined;
  const noZeroes = (clientFlags & HANDSHAKE_FLAGS.noZeroes) !== 0;
  return answerOptions({
    ...{ exports, reader, socket, noZeroes },
    hasStructuredReplies: false,
    allocationContextOf: undefined,
  });
}

async function answerOptions(handshake: Handshake): Promise<Session | undefined> {
  for (;;) {
    const header = await handshake.reader.take(16);
    if (header === undefined || header.readBigUInt64BE(0) !== OPTION_MAGIC) return undefined;
    const option = header.readUInt32BE(8);
    const byteCount = header.readUInt32BE(12);
    if (byteCount > OPTION_BYTES_MAX) return undefined;
    const data = await handshake.reader.take(byteCount);
    if (data === undefined) return undefined;
    if (option === OPTIONS.exportName) return oldStyleChoice(handshake, data);
    if (option === OPTIONS.abort) {
      reply(handshake, option, OPTION_REPLIES.ack);
      return undefined;
    }
    const disk = answerOption(handshake, option, data);
    if (disk !== undefined) return sessionOf(handshake, disk);
  }
}

/** @returns the export, if this option chose one. */
function answerOption(handshake: Handshake, option: number, data: Buffer): NbdExport | undefined {
  switch (option) {
    case OPTIONS.list:
      listExports(handshake, option, data);
      return undefined;
    case OPTIONS.info:
      describeExport(handshake, option, data);
      return undefined;
    case OPTIONS.go:
      return describeExport(handshake, option, data);
    case OPTIONS.structuredReply:
      if (data.length > 0) return invalid(handshake, option);
      handshake.hasStructuredReplies = true;
      reply(handshake, option, OPTION_REPLIES.ack);
      return undefined;
    case OPTIONS.listMetaContext:
    case OPTIONS.setMetaContext:
      answerMetaContext(handshake, option, data);
      return undefined;
    default:
      reply(handshake, option, OPTION_REPLIES.unsupported);
      return undefined;
  }
}

function sessionOf({ hasStructuredReplies, allocationContextOf }: Handshake, disk: NbdExport): Session {
  return { disk, hasStructuredReplies, hasAllocationContext: allocationContextOf === disk };
}

/** NBD_OPT_EXPORT_NAME, which cannot be refused but by hanging up. */
function oldStyleChoice(handshake: Handshake, data: Buffer): Session | undefined {
  const disk = handshake.exports.get(data.toString());
  if (disk === undefined) return undefined;
  handshake.socket.write(Buffer.concat([sizeAndFlags(handshake, disk), Buffer.alloc(handshake.noZeroes ? 0 : 124)]));
  return sessionOf(handshake, disk);
}

function listExports(handshake: Handshake, option: number, data: Buffer): void {
  if (data.length > 0) return void invalid(handshake, option);
  for (const name of handshake.exports.keys()) {
    reply(handshake, option, OPTION_REPLIES.server, withLength(Buffer.from(name)));
  }
  reply(handshake, option, OPTION_REPLIES.ack);
}

/** NBD_OPT_INFO and NBD_OPT_GO: a name, and the numbers of what is asked about it. */
function describeExport(handshake: Handshake, option: number, data: Buffer): NbdExport | undefined {
  const fields = new Fields(data);
  const name = fields.text();
  const requestCount = fields.uint16();
  if (name === undefined || requestCount === undefined) return invalid(handshake, option);
  const requests = Array.from({ length: requestCount }, () => fields.uint16());
  if (requests.includes(undefined) || !fields.isAtEnd) return invalid(handshake, option);
  const disk = handshake.exports.get(name);
  if (disk === undefined) {
    reply(handshake, option, OPTION_REPLIES.unknownExport);
    return undefined;
  }
  const inform = (type: number, content: Buffer) =>
    reply(handshake, option, OPTION_REPLIES.info, Buffer.concat([uint16(type), content]));
  inform(INFO_TYPES.export, sizeAndFlags(handshake, disk));
  if (requests.includes(INFO_TYPES.name)) inform(INFO_TYPES.name, Buffer.from(name));
  // Also unasked: whoever does not know it has to take 512 bytes for the least.
  const sizes = [1, SNAPSHOT_BLOCK_BYTES, REQUEST_BYTES_MAX].map(uint32);
  inform(INFO_TYPES.blockSize, Buffer.concat(sizes));
  reply(handshake, option, OPTION_REPLIES.ack);
  return disk;
}

function sizeAndFlags({ hasStructuredReplies }: Handshake, disk: NbdExport): Buffer {
  const { hasFlags, readOnly, canMultiConnection, sendDontFragment } = TRANSMISSION_FLAGS;
  const bytes = Buffer.alloc(10);
  bytes.writeBigUInt64BE(BigInt(disk.sizeBytes), 0);
  bytes.writeUInt16BE(hasFlags | readOnly | canMultiConnection | (hasStructuredReplies ? sendDontFragment : 0), 8);
  return bytes;
}

/** NBD_OPT_LIST_META_CONTEXT and NBD_OPT_SET_META_CONTEXT: a name, and what contexts are asked for. */
function answerMetaContext(handshake: Handshake, option: number, data: Buffer): void {
  const isSetting = option === OPTIONS.setMetaContext;
  if (isSetting) handshake.allocationContextOf = undefined;
  const fields = new Fields(data);
  const name = fields.text();
  const queryCount = fields.uint32();
  if (name === undefined || queryCount === undefined || queryCount > data.length)
    return void invalid(handshake, option);
  const queries = Array.from({ length: queryCount }, () => fields.text());
  const isMalformed = queries.includes(undefined) || !fields.isAtEnd || (isSetting && !handshake.hasStructuredReplies);
  if (isMalformed) return void invalid(handshake, option);
  const disk = handshake.exports.get(name);
  if (disk === undefined) return void reply(handshake, option, OPTION_REPLIES.unknownExport);
  const isAsked = isSetting
    ? queries.includes(ALLOCATION_CONTEXT)
    : queries.length === 0 || queries.some((query) => query === "base:" || query === ALLOCATION_CONTEXT);
  if (isAsked) {
    if (isSetting) handshake.allocationContextOf = disk;
    const content = Buffer.concat([uint32(ALLOCATION_CONTEXT_ID), Buffer.from(ALLOCATION_CONTEXT)]);
    reply(handshake, option, OPTION_REPLIES.metaContext, content);
  }
  reply(handshake, option, OPTION_REPLIES.ack);
}

function invalid(handshake: Handshake, option: number): undefined {
  reply(handshake, option, OPTION_REPLIES.invalid);
}

function reply({ socket }: Handshake, option: number, type: number, content: Uint8Array = NOTHING): void {
  const header = Buffer.alloc(20);
  header.writeBigUInt64BE(OPTION_REPLY_MAGIC, 0);
  header.writeUInt32BE(option, 8);
  header.writeUInt32BE(type, 12);
  header.writeUInt32BE(content.length, 16);
  socket.write(Buffer.concat([header, content]));
}

/** Reads what a client sent, which may be anything: what is not there is undefined. */
class Fields {
  readonly #bytes: Buffer;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#position === this.#bytes.length;
  }

  uint16(): number | undefined {
    return this.#take(2)?.readUInt16BE(0);
  }

  uint32(): number | undefined {
    return this.#take(4)?.readUInt32BE(0);
  }

  /** A length in 32 bits, and so many bytes of UTF-8. */
  text(): string | undefined {
    const byteCount = this.uint32();
    return byteCount === undefined ? undefined : this.#take(byteCount)?.toString();
  }

  #take(byteCount: number): Buffer | undefined {
    const end = this.#position + byteCount;
    if (end > this.#bytes.length) return undefined;
    const bytes = this.#bytes.subarray(this.#position, end);
    this.#position = end;
    return bytes;
  }
}

function withLength(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
