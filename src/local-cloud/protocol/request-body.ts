import type { IncomingMessage } from "node:http";
import { SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import type { BlockBuffers } from "../storage/block-buffers.ts";
import { ApiError } from "./api-error.ts";

/** StartSnapshot with all its tags is far below. */
const OTHER_BYTES_MAX = 256 * 1024;

/**
 * The body of a request, taken in when it is asked for, into one buffer: one from the pool for a block.
 *
 * Disposing of it gives that back: nobody may have it any more.
 */
export class RequestBody implements Disposable {
  readonly #request: IncomingMessage;
  readonly #pool: BlockBuffers;
  #whole: Promise<Buffer> | undefined;
  #pooled: Buffer | undefined;

  constructor(request: IncomingMessage, pool: BlockBuffers) {
    this.#request = request;
    this.#pool = pool;
  }

  /**
   * All of it; the same buffer each time.
   *
   * @throws {ApiError} RequestEntityTooLargeException.
   * @throws {ClientGone}
   */
  read(): Promise<Buffer> {
    this.#whole ??= this.#read();
    return this.#whole;
  }

  /** Takes in half of it, if it was not taken in yet. */
  async readHalf(): Promise<void> {
    const halfBytes = (this.#declaredBytes() ?? 0) / 2;
    if (this.#whole !== undefined || halfBytes === 0) return;
    let lengthBytes = 0;
    // The connection stays as it is: the caller ends it.
    for await (const chunk of this.#request.iterator({ destroyOnReturn: false })) {
      lengthBytes += chunk.length;
      if (lengthBytes >= halfBytes) return;
    }
  }

  [Symbol.dispose](): void {
    if (this.#pooled !== undefined) this.#pool.giveBack(this.#pooled);
    this.#pooled = undefined;
  }

  async #read(): Promise<Buffer> {
    const declaredBytes = this.#declaredBytes();
    if (declaredBytes === undefined && this.#request.headers["transfer-encoding"] === undefined) return Buffer.alloc(0);
    if (declaredBytes === SNAPSHOT_BLOCK_BYTES) {
      this.#pooled = this.#pool.take();
      return this.#readInto(this.#pooled);
    }
    if (declaredBytes !== undefined && declaredBytes > OTHER_BYTES_MAX) throw tooLarge();
    return this.#readInto(Buffer.alloc(declaredBytes ?? OTHER_BYTES_MAX));
  }

  #readInto(buffer: Buffer): Promise<Buffer> {
    const request = this.#request;
    let lengthBytes = 0;
    return new Promise((resolve, reject) => {
      const onData = (chunk: Buffer) => {
        if (lengthBytes + chunk.length > buffer.length) return stop(() => reject(tooLarge()));
        lengthBytes += chunk.copy(buffer, lengthBytes);
      };
      const onEnd = () => stop(() => resolve(buffer.subarray(0, lengthBytes)));
      const onClose = () => stop(() => reject(new ClientGone("the client went away")));
      const stop = (settle: () => void) => {
        request.off("data", onData).off("end", onEnd).off("close", onClose);
        settle();
      };
      request.on("data", onData).on("end", onEnd).on("close", onClose);
    });
  }

  #declaredBytes(): number | undefined {
    const declared = this.#request.headers["content-length"];
    return declared === undefined ? undefined : Number(declared);
  }
}

/** There is nobody to answer. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

function tooLarge(): ApiError {
  return new ApiError("RequestEntityTooLargeException", "The request is too large", 413);
}
