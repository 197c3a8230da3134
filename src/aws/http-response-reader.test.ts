import assert from "node:assert/strict";
import { test } from "node:test";
import { type HttpResponse, HttpResponseReader } from "./http-response-reader.ts";

/** Reads the answer in pieces of this size, all from one memory, which is used again as a connection does. */
function read(text: string, options: { pieceBytes?: number; target?: Uint8Array; ends?: boolean } = {}) {
  const reader = new HttpResponseReader(options.target);
  const memory = Buffer.alloc(options.pieceBytes ?? text.length);
  const bytes = Buffer.from(text, "latin1");
  let response: HttpResponse | undefined;
  for (let position = 0; position < bytes.length; position += memory.length) {
    const length = bytes.copy(memory, 0, position);
    response = reader.push(memory.subarray(0, length));
    memory.fill("#");
  }
  return response ?? (options.ends ? reader.end() : undefined);
}

function shown(response: HttpResponse | undefined) {
  if (response === undefined) return undefined;
  const { status, body, isReusable } = response;
  return { status, body: Buffer.from(body).toString(), isReusable };
}

const LENGTH = "HTTP/1.1 200 OK\r\nContent-Length: 11\r\nX-Amz-Checksum:  abc= \r\n\r\nhello world";
const CHUNKED =
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n5;name=value\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n";

for (const [what, text, expected] of [
  ["of a known length", LENGTH, { status: 200, body: "hello world", isReusable: true }],
  ["in chunks", CHUNKED, { status: 200, body: "hello world", isReusable: true }],
  [
    "in chunks without trailers",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nB\r\nhello world\r\n0\r\n\r\n",
    { status: 200, body: "hello world", isReusable: true },
  ],
  [
    "after 100 Continue",
    `HTTP/1.1 100 Continue\r\n\r\n${LENGTH}`,
    { status: 200, body: "hello world", isReusable: true },
  ],
  ["without a body", "HTTP/1.1 204 No Content\r\n\r\n", { status: 204, body: "", isReusable: true }],
  [
    "with an empty body",
    "HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n",
    { status: 201, body: "", isReusable: true },
  ],
  [
    "that closes",
    "HTTP/1.1 400 Bad\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    { status: 400, body: "{}", isReusable: false },
  ],
  ["of HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", { status: 200, body: "{}", isReusable: false }],
] as const) {
  test(`an answer ${what} is read from pieces of every size`, () => {
    for (let pieceBytes = 1; pieceBytes <= text.length; pieceBytes++) {
      const target = new Uint8Array(11);
      assert.deepEqual(shown(read(text, { pieceBytes })), expected, `pieces of ${pieceBytes}`);
      assert.deepEqual(shown(read(text, { pieceBytes, target })), expected, `pieces of ${pieceBytes}, with a target`);
    }
  });
}

test("headers are found by their lower-case names, without the space around their values", () => {
  assert.equal(read(LENGTH)?.headers.get("x-amz-checksum"), "abc=");
});

test("an answer without a length ends with the connection, one that breaks off does not", () => {
  const text = "HTTP/1.1 200 OK\r\n\r\nhello";
  assert.deepEqual(shown(read(text, { ends: true })), { status: 200, body: "hello", isReusable: false });
  for (const whole of [LENGTH, CHUNKED]) assert.equal(read(whole.slice(0, -3), { ends: true }), undefined);
  assert.equal(read("HTTP/1.1 200 OK\r\nContent-", { ends: true }), undefined);
});

test("a body of success goes into the target and nowhere else; an error's does not", () => {
  const target = Buffer.alloc(11);
  const body = read(LENGTH, { target })?.body;
  assert.equal(body?.buffer, target.buffer);
  assert.equal(target.toString(), "hello world");
  const refused = read(LENGTH.replace("200", "404"), { target: Buffer.alloc(11) });
  assert.equal(Buffer.from(refused?.body ?? []).toString(), "hello world");
  assert.notEqual(refused?.body.buffer, target.buffer);
});

test("a body that is longer than the target shows it by its length, and writes nothing past it", () => {
  const memory = Buffer.alloc(20, "-");
  const body = read(LENGTH, { target: memory.subarray(0, 4), pieceBytes: 3 })?.body;
  assert.ok((body?.length ?? 0) > 4);
  assert.equal(memory.toString(), `hell${"-".repeat(16)}`);
});

test("an endless error is cut off", () => {
  const text = `HTTP/1.1 500 Oops\r\nContent-Length: 5000000\r\n\r\n${"x".repeat(5_000_000)}`;
  const length = read(text, { pieceBytes: 65_536 })?.body.length ?? 0;
  assert.ok(length >= 1024 ** 2 && length < 1.2 * 1024 ** 2, String(length));
});

for (const [text, message] of [
  ["SSH-2.0-OpenSSH\r\n\r\n", 'the answer is no HTTP: it begins with "SSH-2.0-OpenSSH"'],
  ["HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", 'the answer has the length "-1"'],
  ["HTTP/1.1 200 OK\r\n: x\r\n\r\n", 'the answer has a header without a name: ": x"'],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 'the answer has a chunk of the size "zz"'],
  [`${LENGTH}!`, "the server sends more than its answer"],
  [`HTTP/1.1 200 OK\r\nX: ${"x".repeat(70_000)}`, "the head of the answer does not end"],
] as const) {
  test(`what is no answer is refused: ${message}`, () => {
    assert.throws(() => read(text), { message });
    assert.throws(() => read(text, { pieceBytes: 7 }), { message });
  });
}
