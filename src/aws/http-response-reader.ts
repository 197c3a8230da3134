// A part of HTTP/1.1 (RFC 9112): what answers to requests for blocks look like. Why it is not Node's client: that one
// takes each 64 KiB into new memory, which costs several times what moving the bytes does (docs/performance.md).

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names; of a repeated header the first. */
  readonly headers: ReadonlyMap<string, string>;
  /** In the target, where there was one and it all fits; else in memory of its own, and cut off at `OTHER_BYTES_MAX`. */
  readonly body: Uint8Array;
  /** Whether the next request may use the connection. */
  readonly isReusable: boolean;
}

const HEAD_BYTES_MAX = 65_536;
/** No error is as long as this. */
const OTHER_BYTES_MAX = 1024 ** 2;
const HEAD_END = Buffer.from("\r\n\r\n");
const NOTHING = new Uint8Array();

interface Head {
  readonly version: string;
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
}

type State =
  /** Of the answer, or of the trailers behind the last chunk. */
  | { readonly part: "head" | "chunk-size" | "trailers"; text: Buffer }
  | { readonly part: "body" | "chunk"; leftBytes: number }
  /** Until the connection ends. */
  | { readonly part: "rest" }
  | { readonly part: "over" };

/** Reads one response from the pieces that arrive. It keeps none of the pieces, whose memory may be used again. */
export class HttpResponseReader {
  readonly #target: Uint8Array | undefined;
  #state: State = { part: "head", text: Buffer.alloc(0) };
  #head: Head | undefined;
  #bodyBytes = 0;
  /** What of the body is not in the target. */
  #others: Buffer[] = [];

  /** @param target where the body of an answer of success goes. */
  constructor(target?: Uint8Array) {
    this.#target = target;
  }

  /**
   * Takes in the next piece.
   *
   * @returns the response, with its last piece.
   * @throws if this is no HTTP, or goes on after its end.
   */
  push(piece: Buffer): HttpResponse | undefined {
    let rest = piece;
    while (rest.length > 0) {
      if (this.#state.part === "over") throw new Error("the server sends more than its answer");
      rest = this.#take(rest);
    }
    return this.#state.part === "over" ? this.#response() : undefined;
  }

  /** The connection ended. @returns the response, if that is how it says that it is complete. */
  end(): HttpResponse | undefined {
    return this.#state.part === "rest" ? this.#response() : undefined;
  }

  /** @returns what it did not need. */
  #take(piece: Buffer): Buffer {
    const state = this.#state;
    switch (state.part) {
      case "head":
      case "trailers":
      case "chunk-size":
        return this.#takeText(state, piece);
      case "body":
      case "chunk": {
        const part = piece.subarray(0, state.leftBytes);
        this.#keep(part);
        state.leftBytes -= part.length;
        if (state.leftBytes === 0) this.#state = state.part === "body" ? OVER : { part: "chunk-size", text: EMPTY };
        return piece.subarray(part.length);
      }
      default:
        this.#keep(piece);
        return EMPTY;
    }
  }

  #takeText(state: State & { text: Buffer }, piece: Buffer): Buffer {
    const before = state.text.length;
    const text = before === 0 ? piece : Buffer.concat([state.text, piece]);
    const [end, endBytes] = endOf(state.part, text);
    if (end < 0) {
      if (text.length > HEAD_BYTES_MAX) throw new Error("the head of the answer does not end");
      // A copy: the piece's memory is used again.
      state.text = before === 0 ? Buffer.from(piece) : text;
      return EMPTY;
    }
    const found = text.toString("latin1", 0, end);
    if (state.part === "head") this.#beginBody(found);
    else if (state.part === "chunk-size") this.#beginChunk(found);
    else this.#state = OVER;
    return piece.subarray(end + endBytes - before);
  }

  #beginBody(text: string): void {
    const head = parseHead(text);
    // 100 Continue, and its like: the answer is still to come.
    if (head.status < 200) {
      this.#state = { part: "head", text: EMPTY };
      return;
    }
    this.#head = head;
    if (head.status === 204 || head.status === 304) this.#state = OVER;
    else if (head.headers.has("transfer-encoding")) this.#state = { part: "chunk-size", text: EMPTY };
    else this.#state = stateOfLength(head.headers.get("content-length"));
  }

  #beginChunk(line: string): void {
    // The end of the chunk before stands before the size.
    const size = /^(?:\r\n)?([0-9A-Fa-f]{1,8})(?:[ \t]*;.*)?$/.exec(line)?.[1];
    if (size === undefined) throw new Error(`the answer has a chunk of the size "${line.trim().slice(0, 20)}"`);
    const leftBytes = Number.parseInt(size, 16);
    this.#state = leftBytes > 0 ? { part: "chunk", leftBytes } : { part: "trailers", text: EMPTY };
  }

  #keep(part: Buffer): void {
    const target = this.#isForTarget() ? this.#target : undefined;
    const room = Math.max(0, (target?.length ?? 0) - this.#bodyBytes);
    if (target !== undefined && room > 0) target.set(part.subarray(0, room), this.#bodyBytes);
    else if (this.#bodyBytes < OTHER_BYTES_MAX) this.#others.push(Buffer.from(part));
    this.#bodyBytes += part.length;
  }

  #isForTarget(): boolean {
    const status = this.#head?.status ?? 0;
    return this.#target !== undefined && status >= 200 && status < 300;
  }

  #response(): HttpResponse {
    const { version = "", status = 0, headers = new Map<string, string>() } = this.#head ?? {};
    const connection = headers.get("connection")?.toLowerCase() ?? "";
    const isKept = version === "1.1" ? !/\bclose\b/.test(connection) : /\bkeep-alive\b/.test(connection);
    return { status, headers, body: this.#body(), isReusable: isKept && this.#state.part === "over" };
  }

  #body(): Uint8Array {
    const target = this.#isForTarget() ? this.#target : undefined;
    if (target === undefined) return this.#others.length === 0 ? NOTHING : Buffer.concat(this.#others);
    if (this.#bodyBytes <= target.length) return target.subarray(0, this.#bodyBytes);
    // Too long: of use to nobody but who looks at its length.
    return Buffer.concat([target, ...this.#others]);
  }
}

const EMPTY: Buffer = Buffer.alloc(0);
const OVER: State = { part: "over" };

function endOf(part: State["part"], text: Buffer): [end: number, endBytes: number] {
  if (part === "head") return [text.indexOf(HEAD_END), HEAD_END.length];
  // The line end of the chunk before is no end of a line with a size.
  if (part === "chunk-size") return [text.indexOf("\r\n", text.indexOf("\r\n") === 0 ? 2 : 0), 2];
  // No trailers, or those up to an empty line.
  return text.indexOf("\r\n") === 0 ? [0, 2] : [text.indexOf(HEAD_END), HEAD_END.length];
}

function stateOfLength(contentLength: string | undefined): State {
  if (contentLength === undefined) return { part: "rest" };
  if (!/^\d{1,15}$/.test(contentLength)) throw new Error(`the answer has the length "${contentLength.slice(0, 20)}"`);
  const leftBytes = Number(contentLength);
  return leftBytes === 0 ? OVER : { part: "body", leftBytes };
}

function parseHead(text: string): Head {
  const [statusLine = "", ...lines] = text.split("\r\n");
  const [, version = "", status = ""] = /^HTTP\/(1\.[01]) (\d{3})(?: |$)/.exec(statusLine) ?? [];
  if (status === "") throw new Error(`the answer is no HTTP: it begins with "${statusLine.slice(0, 40)}"`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new Error(`the answer has a header without a name: "${line.slice(0, 40)}"`);
    const name = line.slice(0, colon).toLowerCase();
    if (!headers.has(name)) headers.set(name, line.slice(colon + 1).trim());
  }
  return { version, status: Number(status), headers };
}
