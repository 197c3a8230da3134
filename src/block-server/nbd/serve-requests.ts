// The transmission phase: requests come one after the other, and are answered as their blocks are there.
import type { Socket } from "node:net";
import { messageOf } from "../../base/errors.ts";
import { MIB } from "../../base/units.ts";
import { ByteBudget } from "./byte-budget.ts";
import type { ByteReader } from "./byte-reader.ts";
import { extentsOf, type NbdExport, type Piece, piecesOf } from "./nbd-export.ts";
import type { Session } from "./negotiate.ts";
import { COMMAND_FLAGS, COMMANDS, ERRORS, REQUEST_BYTES_MAX, REQUEST_MAGIC } from "./protocol.ts";
import {
  blockStatusChunk,
  type Cookie,
  dataChunk,
  emptyChunk,
  errorChunk,
  holeChunk,
  send,
  simpleReply,
} from "./replies.ts";

interface Request {
  readonly flags: number;
  readonly type: number;
  readonly cookie: Cookie;
  readonly offset: bigint;
  readonly byteCount: number;
}

/** A request whose range lies in the disk. */
interface DiskRequest extends Request {
  readonly offsetBytes: number;
}

interface Connection extends Session {
  readonly socket: Socket;
}

/** What the requests of one client may make this process hold: the next one is not looked at before. */
const BYTES_UNDER_WAY_MAX = 16 * MIB;
const REQUESTS_UNDER_WAY_MAX = 256;

/** Resolves when the client has said goodbye or is gone, and what it had asked for is answered. */
export async function serveRequests(session: Session, reader: ByteReader, socket: Socket): Promise<void> {
  const connection = { ...session, socket };
  const budget = new ByteBudget(BYTES_UNDER_WAY_MAX);
  const underWay = new Set<Promise<void>>();
  for (;;) {
    const header = await reader.take(28);
    if (header === undefined || header.readUInt32BE(0) !== REQUEST_MAGIC) break;
    const request = requestOf(header);
    if (request.type === COMMANDS.disconnect) break;
    // Its data follows, and is not wanted.
    if (request.type === COMMANDS.write && !(await reader.skip(request.byteCount))) break;
    // A longer one waits until nothing else is under way.
    const cost = request.type === COMMANDS.read ? Math.min(request.byteCount, BYTES_UNDER_WAY_MAX) : 0;
    await budget.take(cost);
    const answered = answer(connection, request).finally(() => {
      budget.giveBack(cost);
      underWay.delete(answered);
    });
    underWay.add(answered);
    if (underWay.size >= REQUESTS_UNDER_WAY_MAX) await Promise.race(underWay);
  }
  await Promise.all(underWay);
}

function requestOf(header: Buffer): Request {
  return {
    flags: header.readUInt16BE(4),
    type: header.readUInt16BE(6),
    cookie: header.readBigUInt64BE(8),
    offset: header.readBigUInt64BE(16),
    byteCount: header.readUInt32BE(24),
  };
}

async function answer(connection: Connection, request: Request): Promise<void> {
  const { read, blockStatus, write, trim, writeZeroes, resize } = COMMANDS;
  if (request.type === read) return answerRead(connection, request);
  if (request.type === blockStatus) return answerBlockStatus(connection, request);
  const isChange = [write, trim, writeZeroes, resize].some((type) => type === request.type);
  return isChange
    ? refuse(connection, request, ERRORS.notPermitted, "The disk is read-only")
    : refuse(connection, request, ERRORS.invalid, `There is no command ${request.type}`);
}

async function refuse(connection: Connection, { cookie }: Request, error: number, message: string): Promise<void> {
  const isStructured = connection.hasStructuredReplies;
  const reply = isStructured ? errorChunk(cookie, { error, message }, true) : simpleReply(cookie, error);
  await send(connection.socket, reply);
}

/** @returns undefined if it is refused, with the reason. */
async function inDisk(connection: Connection, request: Request, flags: number): Promise<DiskRequest | undefined> {
  const offsetBytes = Number(request.offset);
  const isInside = offsetBytes + request.byteCount <= connection.disk.sizeBytes;
  if (isInside && (request.flags & ~flags) === 0) return { ...request, offsetBytes };
  const what = `${request.byteCount} bytes at ${request.offset}`;
  const message = isInside
    ? `Cannot read with the flags ${request.flags}`
    : `Cannot read ${what}: the disk has ${connection.disk.sizeBytes} bytes`;
  await refuse(connection, request, ERRORS.invalid, message);
  return undefined;
}

async function answerRead(connection: Connection, request: Request): Promise<void> {
  const { hasStructuredReplies, socket, disk } = connection;
  if (request.byteCount > REQUEST_BYTES_MAX) {
    return refuse(connection, request, ERRORS.invalid, `Cannot read more than ${REQUEST_BYTES_MAX} bytes at once`);
  }
  const wanted = await inDisk(connection, request, hasStructuredReplies ? COMMAND_FLAGS.dontFragment : 0);
  if (wanted === undefined) return;
  const { cookie, offsetBytes, byteCount, flags } = wanted;
  const pieces = piecesOf(disk, offsetBytes, byteCount);
  if (!hasStructuredReplies || (flags & COMMAND_FLAGS.dontFragment) !== 0) {
    return answerWhole(connection, wanted, pieces);
  }
  if (pieces.length === 0) return send(socket, emptyChunk(cookie));
  let left = pieces.length;
  await Promise.all(
    pieces.map(async (piece) => {
      const content = await contentOf(disk, piece);
      // The last to be there is the last chunk, whichever it is.
      const isDone = --left === 0;
      await send(socket, ...chunkOf(cookie, piece, content, isDone));
    }),
  );
}

/** In one piece, so an error anywhere is an error of all. */
async function answerWhole(connection: Connection, request: DiskRequest, pieces: readonly Piece[]): Promise<void> {
  const { hasStructuredReplies, socket, disk } = connection;
  const { cookie, offsetBytes, byteCount } = request;
  const contents = await Promise.all(pieces.map((piece) => contentOf(disk, piece)));
  const failed = contents.find((content) => content instanceof ReadFailure);
  if (failed !== undefined) return refuse(connection, request, ERRORS.io, failed.message);
  const header = hasStructuredReplies ? dataChunk(cookie, offsetBytes, byteCount, true) : simpleReply(cookie, 0);
  const data = contents.map((content, index) =>
    content instanceof Uint8Array ? content : Buffer.alloc(pieces[index]?.byteCount ?? 0),
  );
  await send(socket, header, ...data);
}

class ReadFailure {
  readonly message: string;

  constructor(message: string) {
    this.message = message;
  }
}

/** The bytes of a piece; undefined if all are zero. */
async function contentOf(disk: NbdExport, piece: Piece): Promise<Uint8Array | ReadFailure | undefined> {
  if (piece.blockIndex === undefined) return undefined;
  try {
    const block = await disk.readBlock(piece.blockIndex);
    if (block === undefined) return undefined;
    const start = piece.offsetBytes % block.length;
    return block.subarray(start, start + piece.byteCount);
  } catch (error) {
    // Whoever opened the disk is told by another way; here it is for the client's log.
    return new ReadFailure(messageOf(error));
  }
}

function chunkOf(
  cookie: Cookie,
  { offsetBytes, byteCount }: Piece,
  content: Uint8Array | ReadFailure | undefined,
  isDone: boolean,
): Uint8Array[] {
  if (content === undefined) return [holeChunk(cookie, offsetBytes, byteCount, isDone)];
  if (content instanceof Uint8Array) return [dataChunk(cookie, offsetBytes, byteCount, isDone), content];
  return [errorChunk(cookie, { error: ERRORS.io, message: content.message, offsetBytes }, isDone)];
}

async function answerBlockStatus(connection: Connection, request: Request): Promise<void> {
  if (!connection.hasAllocationContext || request.byteCount === 0) {
    return refuse(connection, request, ERRORS.invalid, "Cannot tell the status of nothing, or without a context");
  }
  const wanted = await inDisk(connection, request, COMMAND_FLAGS.requestOne);
  if (wanted === undefined) return;
  const { cookie, offsetBytes, byteCount, flags } = wanted;
  const extents: { byteCount: number; isHole: boolean }[] = [];
  for (const { startBytes, endBytes, isHole } of extentsOf(connection.disk, offsetBytes, byteCount)) {
    extents.push({ byteCount: endBytes - startBytes, isHole });
    if ((flags & COMMAND_FLAGS.requestOne) !== 0) break;
  }
  await send(connection.socket, blockStatusChunk(cookie, extents));
}
