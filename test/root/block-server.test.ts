// The block server as builds run it: a process of its own that reads from the EBS endpoint of a local cloud.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { DescribeImagesCommand } from "@aws-sdk/client-ec2";
import { type BlockSourceOptions, openBlockSource } from "../../src/block-server/client.ts";
import { findLockHolders } from "../../src/linux/files/lock-holders.ts";
import { runCommand } from "../../src/linux/run-command.ts";
import type { BlockClientLine, BlockClientOptions } from "../fixtures/block-client.ts";
import { amibakeCommand, runAmibake } from "../helpers/amibake-cli.ts";
import { readBlock } from "../helpers/block-server-fixture.ts";
import { smallFileSystem } from "../helpers/small-file-system.ts";
import { startTestCloud, type TestCloud } from "../helpers/test-cloud.ts";
import { programCommand } from "../helpers/test-program.ts";

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud[Symbol.asyncDispose]());

/** A cache of its own, and the base image of the cloud. */
interface Fixture extends AsyncDisposable {
  readonly directory: string;
  readonly cacheDirectory: string;
  readonly clientOptions: BlockClientOptions;
  /** Opens the base image's snapshot from this process. */
  open(options?: Partial<BlockSourceOptions>): ReturnType<typeof openBlockSource>;
  /** Opens it, and reads it, in a process of its own. */
  start(): Promise<Client>;
  /** The processes that hold the lock of the cache: the server. */
  serverPids(): Promise<number[]>;
}

interface Client extends AsyncDisposable {
  readonly process: ChildProcess;
  next(): Promise<BlockClientLine>;
  /** Ends it as a build ends. */
  end(): Promise<void>;
}

async function startFixture(options: { parent?: string } = {}): Promise<Fixture> {
  const directory = await mkdtemp(join(options.parent ?? tmpdir(), "amibake-served-"));
  const cacheDirectory = join(directory, "cache");
  const { Images: [image] = [] } = await cloud.ec2.send(new DescribeImagesCommand({ ImageIds: [cloud.baseImageId] }));
  const { environment } = cloud;
  const clientOptions: BlockClientOptions = {
    cacheDirectory,
    startCommand: [...(await amibakeCommand()), "block-server", "--cache", cacheDirectory, "--bytes", "1000000000"],
    snapshot: {
      snapshotId: image?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "",
      accountId: image?.OwnerId ?? "",
      region: environment["AWS_REGION"] ?? "",
      endpoint: environment["AWS_ENDPOINT_URL"] ?? "",
    },
    credentials: {
      accessKeyId: environment["AWS_ACCESS_KEY_ID"] ?? "",
      secretAccessKey: environment["AWS_SECRET_ACCESS_KEY"] ?? "",
    },
  };
  const serverPids = async () => {
    const holders = await findLockHolders(join(cacheDirectory, "lock")).catch(() => []);
    return holders.map((line) => Number(/^process (\d+)/.exec(line)?.[1]));
  };
  return {
    ...{ directory, cacheDirectory, clientOptions, serverPids },
    open: (changes = {}) =>
      openBlockSource({
        ...clientOptions,
        environment: {},
        credentials: () => Promise.resolve(clientOptions.credentials),
        signal: new AbortController().signal,
        onRetry: () => {},
        onMessage: (text) => assert.fail(text),
        ...changes,
      }),
    start: () => startClient(clientOptions),
    async [Symbol.asyncDispose]() {
      await ended(serverPids);
      await rm(directory, { recursive: true });
    },
  };
}

async function startClient(options: BlockClientOptions): Promise<Client> {
  const [node = "", ...program] = programCommand("test/fixtures/block-client.ts");
  const child = spawn(node, [...program, JSON.stringify(options)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = linesOf(createInterface({ input: child.stdout }));
  return {
    process: child,
    async next() {
      const { value } = await lines.next();
      if (value === undefined) throw new Error("The client ended without a word");
      return JSON.parse(value) as BlockClientLine;
    },
    async end() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
      assert.equal(child.exitCode, 0);
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** So many clients that begin at once. */
async function startClients(fixture: Fixture, count: number): Promise<readonly Client[] & AsyncDisposable> {
  const clients = await Promise.all(Array.from({ length: count }, () => fixture.start()));
  return Object.assign(clients, {
    async [Symbol.asyncDispose]() {
      for (const client of clients) await client[Symbol.asyncDispose]();
    },
  });
}

async function* linesOf(lines: Interface): AsyncGenerator<string, undefined> {
  for await (const line of lines) yield line;
  return undefined;
}

/** Waits for the server to end by itself. */
async function ended(serverPids: Fixture["serverPids"]): Promise<void> {
  const deadline = performance.now() + 20_000;
  while ((await serverPids()).length > 0) {
    assert.ok(performance.now() < deadline, "the server does not end");
    await delay(20);
  }
}

async function readAll(client: Client): Promise<Extract<BlockClientLine, { hashes: unknown }>> {
  const opened = await client.next();
  assert.ok("opened" in opened, JSON.stringify(opened));
  const read = await client.next();
  assert.ok("hashes" in read, JSON.stringify(read));
  assert.equal(read.hashes.length, opened.opened);
  return read;
}

test("six processes that begin at once end up at one server, and each block is fetched once", async () => {
  await using fixture = await startFixture();
  await using clients = await startClients(fixture, 6);
  const reads = await Promise.all(clients.map(readAll));
  const [first] = reads;
  assert.ok(first !== undefined);
  for (const { hashes } of reads) assert.deepEqual(hashes, first.hashes);
  const fetchedCount = reads.reduce((sum, read) => sum + read.fetchedCount, 0);
  // The cloud keeps blocks of zeros, too: their hash says that they are in the cache already.
  assert.equal(fetchedCount, first.hashes.length);
  assert.equal((await fixture.serverPids()).length, 1);
  await Promise.all(clients.slice(1).map((client) => client.end()));
  assert.equal((await fixture.serverPids()).length, 1, "the first one still needs it");
  await clients[0]?.end();
  // Whoever leaves last waits for it.
  assert.deepEqual(await fixture.serverPids(), []);
  assert.deepEqual((await readdir(fixture.cacheDirectory)).sort(), [
    ...["blocks", "incoming", "lock", "server.log", "snapshots", "start.lock"],
  ]);
  assert.equal(await readFile(join(fixture.cacheDirectory, "server.log"), "utf8"), "");
});

test("clients that are killed end their server too", async () => {
  await using fixture = await startFixture();
  await using clients = await startClients(fixture, 2);
  await Promise.all(clients.map((client) => client.next()));
  for (const client of clients) client.process.kill("SIGKILL");
  await ended(fixture.serverPids);
});

test("a server that is killed fails its clients, and the next one goes on with what is in the cache", async () => {
  await using fixture = await startFixture();
  const failures: string[] = [];
  const [firstBlock = 0, ...rest] = await (async () => {
    await using source = await fixture.open({ onFailure: ({ message }) => failures.push(message) });
    await readBlock(source, source.blockIndexes[0] ?? 0);
    const reading = source.hashes(source.blockIndexes).catch((error: Error) => error.message);
    const [pid] = await fixture.serverPids();
    assert.ok(pid !== undefined && pid > 1);
    process.kill(pid, "SIGKILL");
    await reading;
    await assert.rejects(readBlock(source, source.blockIndexes[0] ?? 0));
    return source.blockIndexes;
  })();
  assert.deepEqual(failures, [`The block server of "${fixture.cacheDirectory}" has ended under its clients`]);
  await writeFile(join(fixture.cacheDirectory, "incoming", "half"), "half a block");
  await using clients = await startClients(fixture, 2);
  const reads = await Promise.all(clients.map(readAll));
  assert.equal((await fixture.serverPids()).length, 1);
  assert.deepEqual(reads[0]?.hashes, reads[1]?.hashes);
  await Promise.all(clients.map((client) => client.end()));
  assert.deepEqual(await readdir(join(fixture.cacheDirectory, "incoming")), []);
  await using source = await fixture.open();
  for (const index of [firstBlock, ...rest.slice(0, 3)]) await readBlock(source, index);
  assert.equal((await source.stats()).fetchedCount, 0);
});

test("a second server waits for the first one of its cache to end", async () => {
  await using fixture = await startFixture();
  const [program = "", ...argv] = fixture.clientOptions.startCommand;
  const first = spawn(program, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const firstLine = once(createInterface({ input: first.stdout }), "line");
  assert.equal(String(await firstLine), '{"ready":null}');
  const second = spawn(program, argv, { stdio: ["ignore", "pipe", "inherit"] });
  const secondLine = once(createInterface({ input: second.stdout }), "line");
  const early = await Promise.race([secondLine, delay(500, "waits")]);
  assert.equal(early, "waits");
  first.kill("SIGKILL");
  assert.equal(String(await secondLine), '{"ready":null}');
  {
    await using source = await fixture.open();
    await readBlock(source, source.blockIndexes[0] ?? 0);
  }
  if (second.exitCode === null) await once(second, "exit");
  assert.equal(second.exitCode, 0);
});

test("a server that nobody comes to use ends when it is told to, without a trace", async () => {
  await using fixture = await startFixture();
  const [program = "", ...argv] = fixture.clientOptions.startCommand;
  const server = spawn(program, argv, { stdio: ["ignore", "pipe", "inherit"] });
  await once(createInterface({ input: server.stdout }), "line");
  server.kill("SIGTERM");
  await once(server, "exit");
  assert.equal(server.exitCode, 0);
  assert.deepEqual((await readdir(fixture.cacheDirectory)).sort(), ["blocks", "incoming", "lock", "snapshots"]);
});

test("qemu reads the whole disk through it, with a copy-on-write layer on top, and sees what was imported", async () => {
  await using fixture = await startFixture();
  const exported = join(fixture.directory, "base.raw");
  await cloud.local("export", cloud.baseImageId, exported);
  await using source = await fixture.open();
  const { blockIndexes, sizeBytes } = source;
  assert.equal((await stat(exported)).size, sizeBytes);
  const uri = `nbd+unix:///${source.exportName}?socket=${source.socketPath}`;
  const overlay = join(fixture.directory, "overlay.qcow2");
  await runCommand(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", uri, overlay]);
  await runCommand(["qemu-img", "compare", exported, overlay]);
  const { fetchedCount } = await source.stats();
  assert.equal(fetchedCount, blockIndexes.length);
  await runCommand(["qemu-io", "-c", "write -P 7 100000 3000", overlay]);
  await runCommand(["qemu-io", "-c", "write -P 7 100000 3000", "--format=raw", exported]);
  await runCommand(["qemu-img", "compare", exported, overlay]);
});

test("a full disk under the cache is told once, and the blocks are served all the same", async () => {
  const parent = await mkdtemp(join(tmpdir(), "amibake-full-"));
  try {
    await using small = await smallFileSystem(join(parent, "small"), "3m");
    await using fixture = await startFixture({ parent: small.path });
    const messages: string[] = [];
    await using source = await fixture.open({ onMessage: (text) => messages.push(text) });
    const { blockIndexes } = source;
    assert.ok(blockIndexes.length > 8);
    const hashes = await source.hashes(blockIndexes);
    assert.equal(hashes.size, blockIndexes.length);
    for (const index of blockIndexes) await readBlock(source, index);
    assert.equal(messages.length, 1, messages.join("\n"));
    assert.match(
      messages[0] ?? "",
      /^Cannot keep blocks in the cache ".*", so the next build fetches them again: ENOSPC: no space left on device/,
    );
    assert.equal(source.failure(), undefined);
    assert.deepEqual(await readdir(join(fixture.cacheDirectory, "incoming")), []);
  } finally {
    await rm(parent, { recursive: true });
  }
});

test("amibake cache tells what is in the cache and clears it, but not under a build", async () => {
  await using fixture = await startFixture();
  const env = { AMIBAKE_CACHE_DIR: fixture.directory, AMIBAKE_CACHE_BYTES: "2GiB" };
  const cacheDirectory = join(fixture.directory, "blocks");
  const startCommand = [
    ...(await amibakeCommand()),
    "block-server",
    "--cache",
    cacheDirectory,
    "--bytes",
    "1000000000",
  ];
  const cache = (...args: string[]) => runAmibake(["cache", ...args], { env });
  const empty = await cache("status");
  assert.equal(empty.stdout, `0 blocks of 0 snapshots, 0 B in ${cacheDirectory}, which may hold 2 GiB\n`);
  {
    await using source = await fixture.open({ cacheDirectory, startCommand });
    await source.hashes(source.blockIndexes);
    const refused = await cache("clear");
    assert.equal(refused.exitCode, 4);
    assert.match(refused.stderr, /Cannot clear the block cache ".*": process \d+ \(.*block-server.*\) uses it/);
  }
  const status = JSON.parse((await cache("status", "--json")).stdout);
  assert.ok(status.blockCount > 8);
  assert.deepEqual(
    [status.bytes, status.snapshotCount, status.bytesMax],
    [status.blockCount * 524_288, 1, 2 * 1024 ** 3],
  );
  assert.equal((await cache("clear")).exitCode, 0);
  assert.match((await cache("status")).stdout, /^0 blocks of 0 snapshots/);
  const wrong = await runAmibake(["cache", "status"], { env: { ...env, AMIBAKE_CACHE_BYTES: "much" } });
  assert.equal(wrong.exitCode, 2);
  assert.match(wrong.stderr, /Cannot use "much" as the size of the block cache/);
});
