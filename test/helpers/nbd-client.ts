// A small NBD client of the tests' own, for what qemu and libnbd cannot be made to do.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { ByteReader } from "../../src/block-server/nbd/byte-reader.ts";

export interface NbdClientOptions {
  /** @default true */
  readonly isStructured?: boolean;
  /** Chooses the export by NBD_OPT_EXPORT_NAME, as clients did before 2011. @default false */
  readonly isOldStyle?: boolean;
}

/** The server's answer to a read that it could not do. */
export class NbdReadError extends Error {
  readonly errno: number;

  constructor(errno: number, message: string) {
    super(message);
    this.errno = errno;
  }
}

interface Pending {
  readonly offsetBytes: number;
  readonly data: Buffer;
  error?: NbdReadError;
  chunkCount: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class NbdClient implements Disposable {
  readonly sizeBytes: number;
  readonly flags: number;
  /** How many chunks the last answered read came in. */
  lastChunkCount = 0;
  readonly #socket: Socket;
  readonly #reader: ByteReader;
  readonly #isStructured: boolean;
  readonly #pending = new Map<bigint, Pending>();
  #cookie = 0n;

  private constructor(socket: Socket, reader: ByteReader, about: { sizeBytes: number; flags: number }, is: boolean) {
    this.#socket = socket;
    this.#reader = reader;
    this.sizeBytes = about.sizeBytes;
    this.flags = about.flags;
    this.#isStructured = is;
    void this.#takeReplies();
  }

  /** @throws if the server hangs up or refuses. */
  static async connect(socketPath: string, name: string, options: NbdClientOptions = {}): Promise<NbdClient> {
    const { isStructured = true, isOldStyle = false } = options;
    const socket = connect({ path: socketPath });
    await once(socket, "connect");
    socket.on("error", () => {});
    const reader = new ByteReader(socket);
    const take = async (byteCount: number) => {
      const bytes = await reader.take(byteCount);
      if (bytes === undefined) throw new Error("The server hung up");
      return bytes;
    };
    await take(18);
    socket.write(uint32(isOldStyle ? 1 : 3));
    const ask = async (option: number, data: Buffer) => {
      socket.write(optionRequest(option, data));
      for (const replies: Buffer[] = []; ; ) {
        const header = await take(20);
        const type = header.readUInt32BE(12);
        const content = await take(header.readUInt32BE(16));
        if (type >= 2 ** 31) throw new Error(`The server refuses with ${type - 2 ** 31}`);
        if (type === 1) return replies;
        replies.push(content);
      }
    };
    if (isStructured) await ask(8, Buffer.alloc(0));
    let about: Buffer;
    if (isOldStyle) {
      socket.write(optionRequest(1, Buffer.from(name)));
      about = (await take(134)).subarray(0, 10);
    } else {
      const replies = await ask(7, Buffer.concat([uint32(name.length), Buffer.from(name), Buffer.alloc(2)]));
      about = (replies[0] as Buffer).subarray(2);
    }
    const numbers = { sizeBytes: Number(about.readBigUInt64BE(0)), flags: about.readUInt16BE(8) };
    return new NbdClient(socket, reader, numbers, isStructured);
  }

  /** @throws {NbdReadError} what the server answers, or an Error if it hangs up. */
  async read(offsetBytes: number, byteCount: number, flags = 0): Promise<Buffer> {
    const data = Buffer.alloc(byteCount, 0xee);
    await this.request({ type: 0, offsetBytes, byteCount, flags }, data);
    return data;
  }

  /** Sends any request and waits until it is answered with success. */
  async request(
    {
      type,
      offsetBytes,
      byteCount,
      flags = 0,
    }: { type: number; offsetBytes: number; byteCount: number; flags?: number },
    data = Buffer.alloc(0),
  ): Promise<void> {
    const cookie = ++this.#cookie;
    const header = Buffer.alloc(28);
    header.writeUInt32BE(0x25609513, 0);
    header.writeUInt16BE(flags, 4);
    header.writeUInt16BE(type, 6);
    header.writeBigUInt64BE(cookie, 8);
    header.writeBigUInt64BE(BigInt(offsetBytes), 16);
    header.writeUInt32BE(byteCount, 24);
    await new Promise<void>((resolve, reject) => {
      this.#pending.set(cookie, { offsetBytes, data, chunkCount: 0, resolve, reject });
      this.#socket.write(header);
      if (this.#socket.destroyed) reject(new Error("The server hung up"));
    });
  }

  /** Sends bytes as they are. */
  write(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #takeReplies(): Promise<void> {
    while (await this.#takeReply());
    for (const { reject } of this.#pending.values()) reject(new Error("The server hung up"));
    this.#pending.clear();
  }

  async #takeReply(): Promise<boolean> {
    const magic = (await this.#reader.take(4))?.readUInt32BE(0);
    if (magic === 0x67446698) return this.#takeSimple();
    return magic === 0x668e33ef ? this.#takeChunk() : false;
  }

  async #takeSimple(): Promise<boolean> {
    const header = await this.#reader.take(12);
    const pending = header && this.#pending.get(header.readBigUInt64BE(4));
    if (pending === undefined) return false;
    const errno = header?.readUInt32BE(0) ?? 0;
    if (errno !== 0) pending.error = new NbdReadError(errno, `error ${errno}`);
    else if (pending.data.length > 0) (await this.#reader.take(pending.data.length))?.copy(pending.data);
    this.#settle(header?.readBigUInt64BE(4) ?? 0n, pending);
    return true;
  }

  async #takeChunk(): Promise<boolean> {
    const header = await this.#reader.take(16);
    const pending = header && this.#pending.get(header.readBigUInt64BE(4));
    const content = header && (await this.#reader.take(header.readUInt32BE(12)));
    if (header === undefined || pending === undefined || content === undefined || !this.#isStructured) return false;
    const type = header.readUInt16BE(2);
    if (type === 1) content.copy(pending.data, Number(content.readBigUInt64BE(0)) - pending.offsetBytes, 8);
    if (type === 2) {
      const start = Number(content.readBigUInt64BE(0)) - pending.offsetBytes;
      pending.data.fill(0, start, start + content.readUInt32BE(8));
    }
    if (type > 2 ** 15) {
      const text = content.subarray(6, 6 + content.readUInt16BE(4)).toString();
      pending.error ??= new NbdReadError(content.readUInt32BE(0), text);
    }
    pending.chunkCount++;
    if ((header.readUInt16BE(0) & 1) === 1) this.#settle(header.readBigUInt64BE(4), pending);
    return true;
  }

  #settle(cookie: bigint, pending: Pending): void {
    this.#pending.delete(cookie);
    this.lastChunkCount = pending.chunkCount;
    if (pending.error === undefined) pending.resolve();
    else pending.reject(pending.error);
  }
}

export function optionRequest(option: number, data: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from("IHAVEOPT"), uint32(option), uint32(data.length), data]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
