// Numbers of the NBD protocol. All integers on the wire are big endian.
// github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md

/** "NBDMAGIC" */
export const GREETING_MAGIC = 0x4e42444d41474943n;
/** "IHAVEOPT" */
export const OPTION_MAGIC = 0x49484156454f5054n;
export const OPTION_REPLY_MAGIC = 0x0003e889045565a9n;
export const REQUEST_MAGIC = 0x25609513;
export const SIMPLE_REPLY_MAGIC = 0x67446698;
export const STRUCTURED_REPLY_MAGIC = 0x668e33ef;

/** Of the handshake, the server's and the client's. */
export const HANDSHAKE_FLAGS = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const OPTIONS = {
  exportName: 1,
  abort: 2,
  list: 3,
  info: 6,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const;

const OPTION_ERROR = 2 ** 31;

export const OPTION_REPLIES = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: OPTION_ERROR + 1,
  invalid: OPTION_ERROR + 3,
  unknownExport: OPTION_ERROR + 6,
} as const;

export const INFO_TYPES = { export: 0, name: 1, blockSize: 3 } as const;

export const TRANSMISSION_FLAGS = {
  hasFlags: 1 << 0,
  readOnly: 1 << 1,
  /** A read can ask to be answered in one piece. Only where replies are structured. */
  sendDontFragment: 1 << 7,
  /** What one connection sees, all do: trivially so for what never changes. */
  canMultiConnection: 1 << 8,
} as const;

export const COMMANDS = {
  read: 0,
  write: 1,
  disconnect: 2,
  flush: 3,
  trim: 4,
  writeZeroes: 6,
  blockStatus: 7,
  resize: 8,
} as const;

export const COMMAND_FLAGS = { dontFragment: 1 << 2, requestOne: 1 << 3 } as const;

export const CHUNK_FLAG_DONE = 1;

const CHUNK_ERROR = 2 ** 15;

export const CHUNKS = {
  none: 0,
  offsetData: 1,
  offsetHole: 2,
  blockStatus: 5,
  error: CHUNK_ERROR + 1,
  errorOffset: CHUNK_ERROR + 2,
} as const;

export const ERRORS = { notPermitted: 1, io: 5, invalid: 22 } as const;

/** The one meta context that is served. */
export const ALLOCATION_CONTEXT = "base:allocation";
export const ALLOCATION_CONTEXT_ID = 1;
/** Of an extent in that context: NBD_STATE_HOLE and NBD_STATE_ZERO. 0 is data. */
export const STATE_HOLE_ZERO = 3;

/** No request may be about more bytes. What most clients assume without being told. */
export const REQUEST_BYTES_MAX = 32 * 1024 ** 2;
