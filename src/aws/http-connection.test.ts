import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { NEVER } from "../base/never.ts";
import { openTransport } from "./ebs-transport.ts";

type Serve = (socket: Socket, request: { readonly connection: number; readonly text: string }) => void;

/** A server on bare sockets: it is told of each piece that arrives. */
async function openServer(serve: Serve) {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    const connection = ++connections;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (data) => serve(socket, { connection, text: data.toString("latin1") }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const transport = openTransport(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`));
  return {
    transport,
    get connections() {
      return connections;
    },
    get: (signal: AbortSignal = NEVER, target = new Uint8Array(5)) =>
      transport.send({ method: "GET", pathAndQuery: "/a?b=c", headers: { host: "h" }, target }, signal),
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const ANSWER = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

test("requests that follow one another use one connection, those at once one each", async () => {
  const asked: string[] = [];
  await using server = await openServer((socket, { text }) => {
    asked.push(text);
    socket.write(ANSWER);
  });
  for (let index = 0; index < 3; index++) assert.equal((await server.get()).status, 200);
  assert.equal(server.connections, 1);
  assert.deepEqual(asked[0], "GET /a?b=c HTTP/1.1\r\nhost: h\r\n\r\n");
  await Promise.all([server.get(), server.get(), server.get()]);
  assert.equal(server.connections, 3);
});

test("answers that arrive mixed go to whom they belong", async () => {
  const waiting: Socket[] = [];
  await using server = await openServer((socket) => {
    waiting.push(socket);
    if (waiting.length < 3) return;
    for (const each of waiting) each.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    // A byte to each in turn.
    let position = 0;
    const timer = setInterval(() => {
      for (const [index, each] of waiting.entries()) each.write(String.fromCharCode(97 + index));
      if (++position === 5) clearInterval(timer);
    }, 2);
  });
  const bodies = await Promise.all([server.get(), server.get(), server.get()]);
  assert.deepEqual(bodies.map(({ body }) => Buffer.from(body).toString()).sort(), ["aaaaa", "bbbbb", "ccccc"]);
});

test("a connection that the server closes is not used again", async () => {
  await using server = await openServer((socket) => socket.end(ANSWER));
  await server.get();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await server.get();
  assert.equal(server.connections, 2);
});

test("a request whose connection breaks off fails as the system calls it", async () => {
  await using server = await openServer((socket) => socket.end(ANSWER.slice(0, -1)));
  await assert.rejects(server.get(), { code: "ECONNRESET" });
  await using none = await openServer((socket) => socket.destroy());
  await assert.rejects(none.get(), { code: "ECONNRESET" });
});

test("nobody listening is told as the system tells it", async () => {
  const { transport } = await openServer(() => {}).then(async (server) => {
    await server[Symbol.asyncDispose]();
    return server;
  });
  const request = { method: "GET", pathAndQuery: "/", headers: {} } as const;
  await assert.rejects(transport.send(request, NEVER), { code: "ECONNREFUSED", syscall: "connect" });
  transport[Symbol.dispose]();
});

test("an answer that comes before the body was sent ends the connection: the body may change now", async () => {
  await using server = await openServer((socket, { text }) => {
    if (!text.startsWith("PUT")) return;
    socket.pause();
    socket.write("HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}");
  });
  const body = new Uint8Array(64 * 1024 ** 2);
  const request = { method: "PUT", pathAndQuery: "/", headers: {}, body } as const;
  await assert.rejects(server.transport.send(request, NEVER), {
    $metadata: { httpStatusCode: 400, requestId: undefined },
  });
  await assert.rejects(server.transport.send(request, NEVER));
  assert.equal(server.connections, 2);
});

test("a cancelled request ends with the reason and its connection, and nothing comes into its memory later", async () => {
  const controller = new AbortController();
  let peer: Socket | undefined;
  await using server = await openServer((socket) => {
    peer = socket;
    socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe");
    setTimeout(() => controller.abort(new Error("stop")), 10);
  });
  const target = new Uint8Array(5);
  await assert.rejects(server.get(controller.signal, target), /^Error: stop$/);
  target.fill(0);
  peer?.write("llo");
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.deepEqual([...target], [0, 0, 0, 0, 0]);
  await assert.rejects(server.get(controller.signal), /^Error: stop$/);
});

test("whoever speaks without being asked, or says too much, is not listened to", async () => {
  await using server = await openServer((socket, { connection }) => {
    socket.write(connection === 1 ? `${ANSWER}HTTP/1.1 200 OK\r\n\r\n` : ANSWER);
  });
  await assert.rejects(server.get(), { message: "the server sends more than its answer" });
  await server.get();
  assert.equal(server.connections, 2);
});
