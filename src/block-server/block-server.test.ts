// The server and its client, with a fake of EBS: what is fetched, how often, and what becomes of it.
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  ADDRESS,
  blockContent,
  CREDENTIALS,
  ebsWith,
  fakeApi,
  readBlock,
  SNAPSHOT,
  startTestBlockServer,
} from "../../test/helpers/block-server-fixture.ts";
import { hashed } from "../../test/helpers/fake-ebs.ts";
import { NbdClient } from "../../test/helpers/nbd-client.ts";
import type { EbsSdkOptions } from "../aws/ebs-sdk.ts";
import type { SnapshotId } from "../base/ids.ts";
import { GIB, SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { ZERO_BLOCK_HASH } from "../base/zero-block.ts";
import { hexOf } from "./cache/block-hash.ts";

const BLOCKS = [0, 1, 5, 100, 2047];
const hashOf = (blockIndex: number) => hexOf(hashed(blockIndex, blockContent(blockIndex)).sha256);

/** Every file below a directory. */
async function filesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

test("a source tells what the snapshot has, and fetches of it what is read and no more", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  await using source = await server.open();
  assert.equal(source.sizeBytes, GIB);
  assert.deepEqual(source.blockIndexes, BLOCKS);
  assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
  assert.ok((await readBlock(source, 6)).equals(Buffer.alloc(SNAPSHOT_BLOCK_BYTES)));
  assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
  assert.deepEqual(server.ebs.gets, [5]);
  assert.deepEqual(await source.stats(), {
    fetchedCount: 1,
    fetchedBytes: SNAPSHOT_BLOCK_BYTES,
    // What it has fetched itself saved it nothing.
    cachedCount: 0,
    cachedBytes: 0,
    requests: { getSnapshotBlock: 1, putSnapshotBlock: 0, list: 1, other: 0 },
  });
});

test("twenty clients with many connections fetch each block once", async () => {
  const indexes = Array.from({ length: 64 }, (_, index) => index * 3);
  const contents = new Map(indexes.map((index) => [index, blockContent(index)]));
  const ebs = ebsWith(indexes);
  ebs.before = async (call) => {
    if (call === "getSnapshotBlock") await delay(Math.random() * 20);
  };
  await using server = await startTestBlockServer(ebs);
  const sources = await Promise.all(Array.from({ length: 20 }, () => server.open()));
  try {
    await Promise.all(
      sources.flatMap((source, client) =>
        [0, 1].map(async (connection) => {
          using nbd = await NbdClient.connect(source.socketPath, source.exportName);
          // Each begins elsewhere.
          const order = indexes.map((_, at) => indexes[(at * 5 + client * 7 + connection) % indexes.length] ?? 0);
          await Promise.all(
            order.map(async (index) => {
              const data = await nbd.read(index * SNAPSHOT_BLOCK_BYTES + 70_000, 4096);
              assert.ok(contents.get(index)?.subarray(70_000, 74_096).equals(data), `block ${index}`);
            }),
          );
        }),
      ),
    );
    assert.deepEqual(
      [...ebs.gets].sort((a, b) => a - b),
      indexes,
    );
    const stats = await Promise.all(sources.map((source) => source.stats()));
    assert.equal(
      stats.reduce((sum, { fetchedCount }) => sum + fetchedCount, 0),
      indexes.length,
    );
    for (const { fetchedCount, cachedCount } of stats) assert.ok(fetchedCount + cachedCount >= indexes.length);
  } finally {
    await Promise.all(sources.map((source) => source[Symbol.asyncDispose]()));
  }
});

test("the next server finds all of it in the cache and asks EBS nothing", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  {
    await using source = await server.open();
    for (const index of BLOCKS) await readBlock(source, index);
  }
  await server.restart({ openEbs: () => Promise.reject(new Error("EBS is asked")) });
  await using source = await server.open({ credentials: () => Promise.reject(new Error("credentials are asked for")) });
  assert.deepEqual(source.blockIndexes, BLOCKS);
  for (const index of BLOCKS) assert.ok((await readBlock(source, index)).equals(blockContent(index)));
  assert.equal((await source.hashes([5, 6])).get(5), hashOf(5));
  const { fetchedCount, cachedCount, requests } = await source.stats();
  assert.deepEqual([fetchedCount, cachedCount, requests.list], [0, BLOCKS.length, 0]);
});

test("hashes() fetches what nobody knows, and leaves out what the snapshot has not", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  await using source = await server.open();
  await readBlock(source, 100);
  const hashes = await source.hashes([0, 2, 100, 2047]);
  assert.deepEqual(
    [...hashes].sort(([a], [b]) => a - b),
    [0, 100, 2047].map((index) => [index, hashOf(index)]),
  );
  assert.deepEqual(
    [...server.ebs.gets].sort((a, b) => a - b),
    [0, 100, 2047],
  );
});

test("a block whose hash the client knows is taken from the cache, wherever it came from", async () => {
  const ebs = ebsWith(BLOCKS);
  const child = "snap-0fedcba9876543210" as SnapshotId;
  ebs.add(child, 1, { 0: blockContent(0), 5: blockContent(5), 7: blockContent(7) });
  await using server = await startTestBlockServer(ebs);
  await using source = await server.open();
  await readBlock(source, 5);
  const knownHashes = new Map([
    [5, hashOf(5)],
    [7, hashOf(7)],
    [9, hashOf(9)],
  ]);
  await using next = await server.open({ snapshot: { ...ADDRESS, snapshotId: child }, knownHashes });
  assert.deepEqual([...(await next.hashes([5, 7, 9]))].length, 2);
  assert.deepEqual(ebs.gets, [5], "a hash that is known is no reason to fetch");
  assert.ok((await readBlock(next, 5)).equals(blockContent(5)));
  assert.ok((await readBlock(next, 7)).equals(blockContent(7)));
  assert.deepEqual(ebs.gets, [5, 7]);
});

test("a hash that the client has wrong, and the cache no block of, does no harm and is not kept", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  {
    await using source = await server.open({
      knownHashes: new Map([
        [5, hashOf(7)],
        [0, "rubbish"],
      ]),
    });
    assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
    assert.equal((await source.hashes([5])).get(5), hashOf(5));
  }
  await server.restart();
  await using source = await server.open();
  assert.equal((await source.hashes([5])).get(5), hashOf(5));
  assert.deepEqual(server.ebs.gets, [5]);
});

test("a block of zeros that EBS keeps is a hole, and takes no room", async () => {
  const ebs = ebsWith([1]);
  ebs.add(SNAPSHOT, 1, { 1: blockContent(1), 3: Buffer.alloc(0) });
  await using server = await startTestBlockServer(ebs);
  await using source = await server.open();
  assert.ok((await readBlock(source, 3)).equals(Buffer.alloc(SNAPSHOT_BLOCK_BYTES)));
  assert.equal((await source.hashes([3])).get(3), ZERO_BLOCK_HASH);
  await readBlock(source, 3);
  assert.deepEqual(ebs.gets, [3]);
  assert.deepEqual(await filesIn(join(server.cacheDirectory, "blocks")), []);
});

for (const [name, damage] of [
  ["another byte", (data: Buffer) => data.fill(data[99] === 1 ? 2 : 1, 99, 100)],
  ["a part", (data: Buffer) => data.subarray(0, 1000)],
  ["nothing", (data: Buffer) => data.subarray(0, 0)],
  ["more", (data: Buffer) => Buffer.concat([data, Buffer.alloc(1)])],
] as const) {
  test(`a file of the cache with ${name} in it is never served, but fetched anew and told of`, async () => {
    await using server = await startTestBlockServer(ebsWith(BLOCKS));
    {
      await using source = await server.open();
      await readBlock(source, 5);
    }
    await server.restart();
    const hash = hashOf(5);
    const path = join(server.cacheDirectory, "blocks", hash.slice(0, 2), hash.slice(2));
    await writeFile(path, damage(await readFile(path)));
    const messages: string[] = [];
    {
      await using source = await server.open({ onMessage: (text) => messages.push(text) });
      assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
      assert.equal(messages.length, 1);
      assert.match(messages[0] ?? "", /^The block ".*" of the cache is damaged, so it is fetched again: it/);
      assert.deepEqual(server.ebs.gets, [5, 5]);
    }
    await server.restart();
    await using source = await server.open();
    assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
    assert.deepEqual(server.ebs.gets, [5, 5], "the file is whole again");
  });
}

test("the cache keeps what was used last, and no more than it may", async () => {
  const indexes = [0, 10, 20, 30, 40, 50];
  const ebs = ebsWith(indexes);
  const limits = { cacheBytesMax: 4 * SNAPSHOT_BLOCK_BYTES };
  await using server = await startTestBlockServer(ebs, limits);
  const readAll = async (wanted: readonly number[]) => {
    await using source = await server.open();
    for (const index of wanted) assert.ok((await readBlock(source, index)).equals(blockContent(index)));
  };
  const stored = async () => (await filesIn(join(server.cacheDirectory, "blocks"))).length;
  await readAll([0, 10, 20, 30, 0]);
  await server.restart();
  await readAll([0, 40]);
  await server.restart();
  assert.equal(await stored(), 4);
  await readAll([0, 40, 30, 20]);
  assert.deepEqual(ebs.gets, [0, 10, 20, 30, 40], "10 had to go, as the one that was used longest ago");
  await server.restart();
  await readAll(indexes);
  await server.restart();
  assert.equal(await stored(), 4);
});

test("a bound that was lowered is kept as soon as something is added", async () => {
  await using server = await startTestBlockServer(ebsWith([0, 10, 20, 30]));
  {
    await using source = await server.open();
    for (const index of [0, 10, 20]) await readBlock(source, index);
  }
  await server.restart({ cacheBytesMax: SNAPSHOT_BLOCK_BYTES });
  {
    await using source = await server.open();
    await readBlock(source, 30);
  }
  await server.ended;
  assert.equal((await filesIn(join(server.cacheDirectory, "blocks"))).length, 1);
});

test("a cache of no bytes keeps nothing, and serves", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS), { cacheBytesMax: 0 });
  await using source = await server.open();
  for (const index of BLOCKS) assert.ok((await readBlock(source, index)).equals(blockContent(index)));
  assert.deepEqual(await filesIn(join(server.cacheDirectory, "blocks")), []);
});

test("what a killed server left half-written is removed, and a torn index is read as far as it is whole", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  {
    await using source = await server.open();
    await source.hashes(BLOCKS);
  }
  await server.ended;
  const index = join(server.cacheDirectory, "snapshots", ADDRESS.accountId, ADDRESS.region, SNAPSHOT);
  await writeFile(join(server.cacheDirectory, "incoming", "left"), "half");
  const hashes = await readFile(`${index}.hashes`);
  assert.equal(hashes.length, BLOCKS.length * 40);
  // One entry points to another block, one has a flipped bit, the last one is torn.
  hashes.writeUInt32BE(1, 0);
  hashes[50] = (hashes[50] ?? 0) ^ 4;
  await writeFile(`${index}.hashes`, hashes.subarray(0, -7));
  await server.restart();
  server.ebs.gets.length = 0;
  {
    await using source = await server.open();
    for (const at of BLOCKS) assert.ok((await readBlock(source, at)).equals(blockContent(at)), `block ${at}`);
    assert.equal(server.ebs.gets.length, 3);
  }
  await server.restart();
  {
    await using source = await server.open();
    for (const at of BLOCKS) await readBlock(source, at);
    assert.equal(server.ebs.gets.length, 3, "the index is whole again");
  }
  await server.ended;
  await writeFile(`${index}.blocks`, (await readFile(`${index}.blocks`)).fill(7, 30, 31));
  await server.restart();
  await using source = await server.open();
  assert.deepEqual(source.blockIndexes, BLOCKS);
  assert.equal(server.ebs.usage.list, 2 + 1, "a damaged listing is made anew");
});

test("tokens that have expired are listed again", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  await using source = await server.open();
  await readBlock(source, 0);
  server.ebs.expireTokens();
  assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
});

test("a client that goes in the middle of a fetch takes nobody else with it", async () => {
  const ebs = ebsWith(BLOCKS);
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await using server = await startTestBlockServer(ebs);
  const first = await server.open();
  await using second = await server.open();
  ebs.before = (call) => (call === "getSnapshotBlock" && ebs.gets.length === 0 ? held : undefined);
  const lost = assert.rejects(readBlock(first, 5), { message: "The server hung up" });
  await delay(30);
  const waiting = readBlock(second, 5);
  await delay(30);
  const leaving = first[Symbol.asyncDispose]();
  await lost;
  letGo();
  await leaving;
  assert.ok((await waiting).equals(blockContent(5)));
});

test("who reads from one end to the other is read ahead of, who jumps about is not", async () => {
  const indexes = Array.from({ length: 200 }, (_, index) => index);
  const ebs = ebsWith(indexes);
  await using server = await startTestBlockServer(ebs);
  await using source = await server.open();
  using nbd = await NbdClient.connect(source.socketPath, source.exportName);
  const read = (index: number) => nbd.read(index * SNAPSHOT_BLOCK_BYTES + 4096, 4096);
  const jumps = [180, 3, 90, 91, 20, 150, 60, 110, 92, 21];
  for (const index of jumps) await read(index);
  await delay(20);
  assert.deepEqual(ebs.gets, jumps);
  for (let index = 30; index < 50; index++) await read(index);
  await delay(20);
  const ahead = ebs.gets.filter((index) => index >= 50 && index < 60);
  assert.ok(ahead.length >= 5 && ahead.length <= 10, `${ahead.length} blocks ahead of a run of 20`);
  assert.equal(new Set(ebs.gets).size, ebs.gets.length);
});

test("nobody else may read what the cache holds, and no credentials are in it", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  await using source = await server.open();
  await source.hashes(BLOCKS);
  // Until nothing is being written any more.
  while ((await filesIn(join(server.cacheDirectory, "blocks"))).length < BLOCKS.length) await delay(5);
  while ((await filesIn(join(server.cacheDirectory, "snapshots"))).some((path) => path.endsWith(".new")))
    await delay(5);
  for (const entry of await readdir(server.cacheDirectory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const mode = (await stat(path)).mode & 0o777;
    // A lock may be seen, in a directory that nobody can enter.
    if (entry.name !== "lock") assert.equal(mode, entry.isDirectory() ? 0o700 : 0o600, path);
    if (entry.isFile()) assert.equal((await readFile(path)).includes(CREDENTIALS.secretAccessKey), false, path);
  }
  assert.equal((await stat(server.cacheDirectory)).mode & 0o777, 0o700);
});

test("a cache that others may write to is refused", async () => {
  const parent = await mkdtemp(join(tmpdir(), "amibake-blocks-"));
  try {
    const cacheDirectory = join(parent, "cache");
    await mkdir(cacheDirectory);
    await chmod(cacheDirectory, 0o775);
    await assert.rejects(startTestBlockServer(ebsWith([]), { cacheDirectory }), {
      code: "ERR_CACHE_ACCESS",
      message: `Cannot use the block cache "${cacheDirectory}": others may write into it (mode 775)`,
    });
  } finally {
    await rm(parent, { recursive: true });
  }
});

test("whatever is said on the control socket, the other clients are served", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  await using source = await server.open();
  for (const text of [
    "rubbish\n",
    "null\n",
    "[]\n",
    '{"call":"hashes","id":1,"parameters":{}}\n',
    '{"id":7}\n',
    "\0\n",
  ]) {
    const socket = connect({ path: join(server.cacheDirectory, "control.sock") });
    socket.on("error", () => {});
    socket.resume();
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.end(text);
    await closed;
  }
  const address = { ...ADDRESS, snapshotId: "../../etc" };
  await assert.rejects(server.open({ snapshot: address }), { message: 'Cannot name a file after "../../etc"' });
  assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
});

test("EBS is reached where the client says, and a server that is started trusts whom the client trusts", async () => {
  const ebs = ebsWith([5]);
  const opened: EbsSdkOptions[] = [];
  const openEbs = async (options: EbsSdkOptions) => {
    opened.push(options);
    return fakeApi(ebs, options);
  };
  await using server = await startTestBlockServer(ebs, { openEbs });
  const endpoint = "https://ebs-fips.us-gov-west-1.amazonaws.com/";
  await using source = await server.open({ snapshot: { ...ADDRESS, endpoint } });
  assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
  assert.deepEqual(
    opened.map((options) => [options.endpoint, options.isEndpointFinal]),
    [[endpoint, true]],
  );
  const cacheDirectory = join(server.cacheDirectory, "../other");
  const started = server.open({
    cacheDirectory,
    environment: { NODE_EXTRA_CA_CERTS: "/etc/corporate.pem", AWS_USE_FIPS_ENDPOINT: "true" },
    startCommand: ["sh", "-c", `env >${cacheDirectory}/environment`],
  });
  await assert.rejects(started, { message: "Cannot start the block server: it ended without a word" });
  const environment = await readFile(join(cacheDirectory, "environment"), "utf8");
  assert.match(environment, /^NODE_EXTRA_CA_CERTS=\/etc\/corporate.pem$/m);
  assert.doesNotMatch(environment, /AWS_/);
});
