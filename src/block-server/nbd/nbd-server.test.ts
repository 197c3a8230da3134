// Judged by qemu and libnbd, and by a client of our own where those are too well-behaved.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { NbdClient, NbdReadError, optionRequest, uint32 } from "../../../test/helpers/nbd-client.ts";
import { AsyncDisposableStack } from "../../base/async-disposable-stack.ts";
import { seededRandom } from "../../base/random.ts";
import { MIB, SNAPSHOT_BLOCK_BYTES } from "../../base/units.ts";
import { runCommand, runToExit } from "../../linux/run-command.ts";
import type { NbdExport } from "./nbd-export.ts";
import { type NbdServer, serveNbd } from "./nbd-server.ts";

const NAME = "snap-0123";
const SIZE_BYTES = 64 * MIB;
/** Runs of data and holes of several lengths, at the beginning and the end too. */
const ALLOCATED = [0, 1, 2, 7, 9, 10, 40, 41, 42, 43, 44, 100, 126, 127];
const hasLibnbd = (await runToExit(["which", "nbdinfo"])).exitCode === 0;
const SKIP_LIBNBD = hasLibnbd ? false : "libnbd-bin is not installed";

interface Fixture extends AsyncDisposable {
  readonly server: NbdServer;
  readonly disk: NbdExport & { failing: Set<number>; delayMs: number; reads: number[] };
  /** A raw file with the same content. */
  readonly rawPath: string;
  readonly socketPath: string;
  readonly scratch: string;
  readonly uri: string;
  readonly reports: string[];
}

async function serveDisk(): Promise<Fixture> {
  await using undo = new AsyncDisposableStack();
  const scratch = await mkdtemp(join(tmpdir(), "amibake-nbd-"));
  undo.defer(() => rm(scratch, { recursive: true }));
  const random = seededRandom(1);
  const blocks = new Map(
    ALLOCATED.map((index) => [
      index,
      Buffer.from(Uint8Array.from({ length: SNAPSHOT_BLOCK_BYTES }, () => random() * 256)),
    ]),
  );
  const rawPath = join(scratch, "disk.raw");
  {
    await using file = await open(rawPath, "w");
    await file.truncate(SIZE_BYTES);
    for (const [index, data] of blocks) await file.write(data, 0, data.length, index * SNAPSHOT_BLOCK_BYTES);
  }
  const disk: Fixture["disk"] = {
    sizeBytes: SIZE_BYTES,
    failing: new Set(),
    delayMs: 0,
    reads: [],
    isAllocated: (index) => blocks.has(index),
    async readBlock(index) {
      disk.reads.push(index);
      if (disk.delayMs > 0) await delay(disk.delayMs * ((index * 7) % 5));
      if (disk.failing.has(index)) throw new Error(`Cannot get block ${index}`);
      return blocks.get(index);
    },
  };
  const socketPath = join(scratch, "nbd.sock");
  const reports: string[] = [];
  const server = undo.use(await serveNbd(socketPath, (message, error) => reports.push(`${message}: ${error}`)));
  server.add(NAME, disk);
  const owned = undo.move();
  const uri = `nbd+unix:///${NAME}?socket=${socketPath}`;
  return {
    ...{ server, disk, rawPath, socketPath, scratch, uri, reports },
    async [Symbol.asyncDispose]() {
      await owned[Symbol.asyncDispose]();
      assert.deepEqual(reports, []);
    },
  };
}

const output = async (argv: readonly string[]) => (await runCommand(argv)).stdout.toString();

test("qemu-img sees the size, and that nothing can be written", async () => {
  await using fixture = await serveDisk();
  const info = JSON.parse(await output(["qemu-img", "info", "--output=json", fixture.uri]));
  assert.equal(info["virtual-size"], SIZE_BYTES);
  const written = await runToExit(["qemu-io", "--format=raw", "-c", "write 0 512", fixture.uri]);
  assert.match(written.stdout.toString() + written.stderrTail, /Permission denied/);
});

test("qemu-img map knows the holes without reading a block", async () => {
  await using fixture = await serveDisk();
  const map: { start: number; length: number; zero: boolean; data: boolean }[] = JSON.parse(
    await output(["qemu-img", "map", "--output=json", "-f", "raw", fixture.uri]),
  );
  assert.deepEqual(fixture.disk.reads, []);
  const blocks = map
    .filter(({ data }) => data)
    .flatMap(({ start, length }) =>
      Array.from({ length: length / SNAPSHOT_BLOCK_BYTES }, (_, i) => start / SNAPSHOT_BLOCK_BYTES + i),
    );
  assert.deepEqual(blocks, ALLOCATED);
  assert.ok(map.every(({ zero, data }) => zero !== data));
});

test("qemu-img convert and compare get each byte, with many requests at once, and read no hole", async () => {
  await using fixture = await serveDisk();
  fixture.disk.delayMs = 3;
  const copyPath = join(fixture.scratch, "copy.qcow2");
  await runCommand(["qemu-img", "convert", "-m", "16", "-W", "-O", "qcow2", fixture.uri, copyPath]);
  await runCommand(["qemu-img", "compare", fixture.rawPath, copyPath]);
  assert.deepEqual(
    [...new Set(fixture.disk.reads)].sort((a, b) => a - b),
    ALLOCATED,
  );
  await runCommand(["qemu-img", "compare", fixture.rawPath, fixture.uri]);
});

test("qemu-io reads at any offset, across blocks and holes", async () => {
  await using fixture = await serveDisk();
  const random = seededRandom(2);
  await using file = await open(fixture.rawPath, "r");
  using client = await NbdClient.connect(fixture.socketPath, NAME);
  const ranges = Array.from({ length: 80 }, () => {
    const offsetBytes = Math.floor(random() * SIZE_BYTES);
    const byteCount = Math.min(Math.floor(random() ** 3 * 8 * MIB), SIZE_BYTES - offsetBytes);
    return { offsetBytes, byteCount };
  });
  await Promise.all(
    ranges.map(async ({ offsetBytes, byteCount }) => {
      const expected = Buffer.alloc(byteCount);
      await file.read(expected, 0, byteCount, offsetBytes);
      const found = await client.read(offsetBytes, byteCount);
      assert.ok(found.equals(expected), `${byteCount} bytes at ${offsetBytes}`);
    }),
  );
  const printed = await output(["qemu-io", "--format=raw", "-r", "-c", "read -v 524287 3", fixture.uri]);
  const bytes = await readRaw(fixture, 524_287, 3);
  assert.match(printed, new RegExp(`0007ffff: +${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join(" ")}`));
});

async function readRaw({ rawPath }: Fixture, offsetBytes: number, byteCount: number): Promise<Buffer> {
  await using file = await open(rawPath, "r");
  const data = Buffer.alloc(byteCount);
  await file.read(data, 0, byteCount, offsetBytes);
  return data;
}

for (const options of [{ isStructured: false }, { isStructured: false, isOldStyle: true }]) {
  test(`a client without structured replies gets each byte too: ${JSON.stringify(options)}`, async () => {
    await using fixture = await serveDisk();
    using client = await NbdClient.connect(fixture.socketPath, NAME, options);
    assert.equal(client.sizeBytes, SIZE_BYTES);
    // HAS_FLAGS, READ_ONLY, CAN_MULTI_CONN.
    assert.equal(client.flags, 0b1_0000_0011);
    const [all, some] = await Promise.all([client.read(0, 32 * MIB), client.read(SIZE_BYTES - 5000, 5000)]);
    assert.ok(all.equals(await readRaw(fixture, 0, 32 * MIB)));
    assert.ok(some.equals(await readRaw(fixture, SIZE_BYTES - 5000, 5000)));
  });
}

test("a read that is not to be fragmented comes in one chunk, another one in a chunk for each block", async () => {
  await using fixture = await serveDisk();
  using client = await NbdClient.connect(fixture.socketPath, NAME);
  const expected = await readRaw(fixture, 0, 5 * SNAPSHOT_BLOCK_BYTES);
  assert.ok((await client.read(0, expected.length, 1 << 2)).equals(expected));
  assert.equal(client.lastChunkCount, 1);
  assert.ok((await client.read(0, expected.length)).equals(expected));
  // Three blocks, and one hole of two.
  assert.equal(client.lastChunkCount, 4);
  assert.equal((await client.read(0, 0)).length, 0);
});

test("nbdinfo lists the export and its map, nbdcopy copies it over several connections", {
  skip: SKIP_LIBNBD,
}, async () => {
  await using fixture = await serveDisk();
  const { exports } = JSON.parse(
    await output(["nbdinfo", "--json", "--list", `nbd+unix://?socket=${fixture.socketPath}`]),
  );
  assert.equal(exports.length, 1);
  const [found] = exports;
  assert.deepEqual(
    [found["export-name"], found["export-size"], found["is_read_only"], found["can_multi_conn"], found["contexts"]],
    [NAME, SIZE_BYTES, true, true, ["base:allocation"]],
  );
  const map: { offset: number; length: number; description: string }[] = JSON.parse(
    await output(["nbdinfo", "--json", "--map", fixture.uri]),
  );
  assert.deepEqual(map[1], { offset: 1_572_864, length: 2_097_152, type: 3, description: "hole,zero" });
  const copyPath = join(fixture.scratch, "copy.raw");
  await runCommand(["nbdcopy", "--connections=4", fixture.uri, copyPath]);
  await runCommand(["qemu-img", "compare", fixture.rawPath, copyPath]);
});

test("a block that cannot be had is EIO with the reason, and only there", async () => {
  await using fixture = await serveDisk();
  fixture.disk.failing.add(41);
  const io = async (offset: number) =>
    (await runToExit(["qemu-io", "--format=raw", "-r", "-c", `read ${offset} 4096`, fixture.uri])).stdout.toString();
  assert.match(await io(41 * SNAPSHOT_BLOCK_BYTES), /Input\/output error/);
  assert.match(await io(42 * SNAPSHOT_BLOCK_BYTES), /read 4096\/4096 bytes/);
  for (const isStructured of [true, false]) {
    using client = await NbdClient.connect(fixture.socketPath, NAME, { isStructured });
    const error = await client.read(40 * SNAPSHOT_BLOCK_BYTES, 3 * SNAPSHOT_BLOCK_BYTES).catch((thrown) => thrown);
    assert.ok(error instanceof NbdReadError);
    assert.equal(error.errno, 5);
    if (isStructured) assert.equal(error.message, "Cannot get block 41");
    assert.equal((await client.read(42 * SNAPSHOT_BLOCK_BYTES, 10)).length, 10);
  }
});

test("what is not allowed is refused, and the connection goes on", async () => {
  await using fixture = await serveDisk();
  using client = await NbdClient.connect(fixture.socketPath, NAME);
  const refused: [name: string, request: Parameters<NbdClient["request"]>[0], errno: number][] = [
    ["beyond the end", { type: 0, offsetBytes: SIZE_BYTES - 10, byteCount: 11 }, 22],
    ["far beyond the end", { type: 0, offsetBytes: 2 ** 63, byteCount: 1 }, 22],
    ["too long", { type: 0, offsetBytes: 0, byteCount: 33 * MIB }, 22],
    ["unknown flags", { type: 0, offsetBytes: 0, byteCount: 1, flags: 0x8000 }, 22],
    ["block status without a context", { type: 7, offsetBytes: 0, byteCount: 512 }, 22],
    ["trim", { type: 4, offsetBytes: 0, byteCount: 512 }, 1],
    ["write zeroes", { type: 6, offsetBytes: 0, byteCount: 512 }, 1],
    ["unknown command", { type: 99, offsetBytes: 0, byteCount: 512 }, 22],
  ];
  for (const [name, request, errno] of refused) {
    const error = await client.request(request).catch((thrown) => thrown);
    assert.ok(error instanceof NbdReadError, name);
    assert.equal(error.errno, errno, name);
  }
  const writing = client.request({ type: 1, offsetBytes: 0, byteCount: 200_000 });
  client.write(Buffer.alloc(200_000, 0x25));
  await assert.rejects(writing, { errno: 1 });
  assert.ok((await client.read(0, 4096)).equals(await readRaw(fixture, 0, 4096)));
});

test("an export that does not exist cannot be chosen", async () => {
  await using fixture = await serveDisk();
  // NBD_REP_ERR_UNKNOWN
  await assert.rejects(NbdClient.connect(fixture.socketPath, "snap-9"), { message: "The server refuses with 6" });
  await assert.rejects(NbdClient.connect(fixture.socketPath, "", { isOldStyle: true, isStructured: false }), {
    message: "The server hung up",
  });
});

test("a disk that is taken away closes its connections, not those of another", async () => {
  await using fixture = await serveDisk();
  const other = fixture.server.add("other", { ...fixture.disk, isAllocated: () => false });
  using client = await NbdClient.connect(fixture.socketPath, NAME);
  using otherClient = await NbdClient.connect(fixture.socketPath, "other");
  await otherClient.read(0, 512);
  other[Symbol.dispose]();
  await assert.rejects(otherClient.read(0, 512), { message: "The server hung up" });
  assert.equal((await client.read(0, 512)).length, 512);
});

test("a client that does not take its answers makes nobody else wait", async () => {
  await using fixture = await serveDisk();
  using other = await NbdClient.connect(fixture.socketPath, NAME);
  // 2 GiB of answers wait for it.
  const socket = connect({ path: fixture.socketPath });
  await once(socket, "connect");
  socket.pause();
  socket.write(uint32(3));
  socket.write(optionRequest(7, Buffer.concat([uint32(NAME.length), Buffer.from(NAME), Buffer.alloc(2)])));
  const request = Buffer.alloc(28);
  request.writeUInt32BE(0x25609513, 0);
  request.writeUInt32BE(32 * MIB, 24);
  for (let count = 0; count < 64; count++) socket.write(request);
  await delay(100);
  const before = process.memoryUsage().rss;
  assert.ok((await other.read(0, MIB)).equals(await readRaw(fixture, 0, MIB)));
  assert.ok(process.memoryUsage().rss - before < 256 * MIB);
  socket.destroy();
});

test("whatever a client sends, the server lives and serves others", async () => {
  const seed = Date.now() % 1_000_000;
  const random = seededRandom(seed);
  await using fixture = await serveDisk();
  using client = await NbdClient.connect(fixture.socketPath, NAME);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const randomBytes = (count: number) => Buffer.from(Uint8Array.from({ length: count }, () => random() * 256));
  const name = () => pick([Buffer.from(NAME), Buffer.from(""), randomBytes(20)]);
  const count = () => pick([0, 1, 2, 3, 0xffff_ffff, Math.floor(random() * 2 ** 32)]);
  const field = () => pick([uint32(count()), Buffer.alloc(2), randomBytes(3), Buffer.from("base:allocation")]);
  const option = () => {
    const bytes = name();
    const rest = Array.from({ length: Math.floor(random() * 4) }, field);
    const data = Buffer.concat([uint32(random() < 0.8 ? bytes.length : count()), bytes, ...rest]);
    const request = optionRequest(pick([1, 2, 3, 5, 6, 7, 7, 8, 9, 10, 10, 11, 77]), data);
    // Sometimes its length is a lie.
    if (random() < 0.1) request.writeUInt32BE(count(), 12);
    return request;
  };
  const request = () => {
    const bytes = Buffer.alloc(28);
    bytes.writeUInt32BE(random() < 0.95 ? 0x25609513 : count(), 0);
    bytes.writeUInt16BE(pick([0, 0, 4, 8, 0xffff]), 4);
    bytes.writeUInt16BE(pick([0, 0, 0, 1, 2, 3, 4, 6, 7, 7, 8, 500]), 6);
    bytes.writeBigUInt64BE(pick([0n, 512n, 2n ** 64n - 1n, BigInt(Math.floor(random() * SIZE_BYTES))]), 16);
    bytes.writeUInt32BE(pick([0, 1, 4096, 600_000, count()]), 24);
    return bytes;
  };
  for (let round = 0; round < 300; round++) {
    const socket = connect({ path: fixture.socketPath });
    socket.on("error", () => {});
    socket.resume();
    await once(socket, "connect");
    const closed = once(socket, "close");
    socket.write(pick([uint32(3), uint32(1), randomBytes(4)]));
    for (let step = 0; step < 6; step++) socket.write(random() < 0.05 ? randomBytes(50) : option());
    const go = Buffer.concat([uint32(NAME.length), Buffer.from(NAME), Buffer.alloc(2)]);
    if (random() < 0.7) socket.write(optionRequest(7, go));
    for (let step = 0; step < 10; step++) socket.write(request());
    if (random() < 0.5) socket.end();
    else await delay(random() * 3).then(() => socket.destroy());
    const timer = setTimeout(() => socket.destroy(), 2000);
    await closed;
    clearTimeout(timer);
    assert.deepEqual(fixture.reports, [], `seed ${seed}, round ${round}`);
  }
  assert.ok((await client.read(0, MIB)).equals(await readRaw(fixture, 0, MIB)), `seed ${seed}`);
});
