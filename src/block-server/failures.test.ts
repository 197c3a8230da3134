// What a client learns when blocks cannot be had, and that it does no harm to others.
import assert from "node:assert/strict";
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
import { NbdClient, NbdReadError } from "../../test/helpers/nbd-client.ts";
import { AwsError } from "../aws/aws-error.ts";
import { ToolError } from "../base/errors.ts";
import type { SnapshotId } from "../base/ids.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";

const BLOCKS = [0, 5, 100];
const denied = (call: string) => new AwsError(call, "AccessDeniedException", "Your key may not do that");

async function caught(work: Promise<unknown>): Promise<ToolError> {
  const error = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ToolError, String(error));
  return error;
}

test("a snapshot that cannot be listed is not opened, for EBS's reason; later it can be", async () => {
  const ebs = ebsWith(BLOCKS);
  await using server = await startTestBlockServer(ebs);
  const other = "snap-0fedcba9876543210" as SnapshotId;
  ebs.add(other, 1, { 3: blockContent(3) });
  await using _keepsServer = await server.open({ snapshot: { ...ADDRESS, snapshotId: other } });
  ebs.before = (call) => {
    if (call === "listSnapshotBlocks") throw denied("ListSnapshotBlocks");
  };
  const error = await caught(server.open());
  const { code, message, hint } = denied("ListSnapshotBlocks");
  assert.deepEqual([error.code, error.message, error.hint], [code, message, hint]);
  assert.equal(message, "Cannot ListSnapshotBlocks: AccessDeniedException: Your key may not do that");
  const missing = await caught(server.open({ snapshot: { ...ADDRESS, snapshotId: "snap-0aaaaaaaaaaaaaaaa" } }));
  assert.match(missing.message, /ResourceNotFoundException/);
  ebs.before = () => {};
  await using source = await server.open();
  assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
});

test("a block that cannot be fetched is EIO, and the client is told why, once; the rest then fails at once", async () => {
  const ebs = ebsWith(BLOCKS);
  await using server = await startTestBlockServer(ebs);
  const failures: Error[] = [];
  await using source = await server.open({ onFailure: (error) => failures.push(error) });
  assert.ok((await readBlock(source, 0)).equals(blockContent(0)));
  let askedCount = 0;
  ebs.before = (call, blockIndex) => {
    if (call !== "getSnapshotBlock") return;
    if (blockIndex === 100) askedCount++;
    throw denied("GetSnapshotBlock");
  };
  for (const index of [5, 100, 5]) {
    const error = await readBlock(source, index).catch((thrown) => thrown);
    assert.ok(error instanceof NbdReadError);
    assert.deepEqual([error.errno, error.message], [5, denied("GetSnapshotBlock").message]);
  }
  assert.equal(askedCount, 0, "EBS is asked again");
  // It is in the cache.
  assert.ok((await readBlock(source, 0)).equals(blockContent(0)));
  assert.deepEqual(
    failures.map(({ message }) => message),
    [denied("GetSnapshotBlock").message],
  );
  assert.equal(source.failure(), failures[0]);
  assert.equal((await caught(source.hashes([5]))).hint, denied("GetSnapshotBlock").hint);
  ebs.before = () => {};
  await assert.rejects(readBlock(source, 100), NbdReadError);
  await using next = await server.open();
  assert.ok((await readBlock(next, 100)).equals(blockContent(100)));
});

test("what a client keeps is served when it has gone, fetched with its credentials, until nobody has it open", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  const source = await server.open();
  {
    using reader = await NbdClient.connect(source.socketPath, source.exportName);
    await source.keep();
    const [index = 0] = BLOCKS;
    const data = await reader.read(index * SNAPSHOT_BLOCK_BYTES, SNAPSHOT_BLOCK_BYTES);
    assert.ok(data.equals(blockContent(index)));
    assert.equal(source.failure(), undefined);
  }
  await server.ended;
});

test("what a client keeps and nobody has open ends with the client", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  await (await server.open()).keep();
  await server.ended;
});

test("a client with credentials that are not good enough fails alone", async () => {
  const ebs = ebsWith(BLOCKS);
  await using server = await startTestBlockServer(ebs);
  const failures: Error[] = [];
  const poor = { accessKeyId: "AKIAPOOR", secretAccessKey: "x" };
  await using first = await server.open({
    credentials: () => Promise.resolve(poor),
    onFailure: (error) => failures.push(error),
  });
  await using second = await server.open();
  ebs.before = async (call) => {
    const key = ebs.lastKey;
    if (call !== "getSnapshotBlock") return;
    await delay(30);
    if (key === poor.accessKeyId) throw denied("GetSnapshotBlock");
  };
  const [refused, read] = await Promise.allSettled([readBlock(first, 5), delay(10).then(() => readBlock(second, 5))]);
  assert.equal(refused.status, "rejected");
  assert.ok(read.status === "fulfilled" && read.value.equals(blockContent(5)));
  assert.equal(failures.length, 1);
  assert.equal(second.failure(), undefined);
});

test("credentials are asked for once, and anew before they expire and when EBS says that they have", async () => {
  const ebs = ebsWith(BLOCKS);
  await using server = await startTestBlockServer(ebs);
  let asked = 0;
  let expiration: Date | undefined;
  const credentials = async () => {
    asked++;
    return { ...CREDENTIALS, accessKeyId: `AKIA${asked}`, ...(expiration === undefined ? {} : { expiration }) };
  };
  {
    await using source = await server.open({ credentials });
    for (const index of [0, 5]) await readBlock(source, index);
    assert.equal(asked, 1);
    ebs.before = (call) => {
      if (call === "getSnapshotBlock" && ebs.lastKey === "AKIA1") {
        throw new AwsError("GetSnapshotBlock", "ExpiredTokenException", "The security token has expired");
      }
    };
    assert.ok((await readBlock(source, 100)).equals(blockContent(100)));
    assert.equal(asked, 2);
  }
  await server.restart();
  const child = "snap-0fedcba9876543210" as SnapshotId;
  ebs.add(child, 1, { 1: blockContent(1), 50: blockContent(50) });
  expiration = new Date(Date.now() + 60_000);
  await using source = await server.open({ credentials, snapshot: { ...ADDRESS, snapshotId: child } });
  asked = 10;
  await readBlock(source, 1);
  expiration = new Date(Date.now() + 3_600_000);
  await readBlock(source, 50);
  assert.ok(asked > 11, "a minute before they expire they are asked for again");
});

test("credentials that stay expired are no reason to ask for ever", async () => {
  const ebs = ebsWith(BLOCKS);
  await using server = await startTestBlockServer(ebs);
  let asked = 0;
  await using source = await server.open({
    credentials: async () => {
      asked++;
      return CREDENTIALS;
    },
    onFailure: () => {},
  });
  ebs.before = () => {
    throw new AwsError("GetSnapshotBlock", "ExpiredTokenException", "The security token has expired");
  };
  await assert.rejects(readBlock(source, 5), { message: /The security token has expired/ });
  assert.equal(asked, 2);
});

test("a client without credentials is told its own reason", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  const none = new ToolError("ERR_NO_CREDENTIALS", "Cannot find AWS credentials", {
    hint: "Name a profile",
    fault: "usage",
  });
  const error = await caught(server.open({ credentials: () => Promise.reject(none) }));
  assert.deepEqual([error.code, error.message, error.hint, error.fault], [none.code, none.message, none.hint, "usage"]);
  assert.equal(server.ebs.usage.list, 0);
});

test("calls that are tried again are told to the client that they are made for", async () => {
  const ebs = ebsWith(BLOCKS);
  await using server = await startTestBlockServer(ebs, {
    openEbs: async (options) => {
      options.onRetry("ListSnapshotBlocks", 1, "ThrottlingException");
      return fakeApi(ebs, options);
    },
  });
  const retries: unknown[] = [];
  await using _source = await server.open({ onRetry: (...told) => retries.push(told) });
  assert.deepEqual(retries, [["ListSnapshotBlocks", 1, "ThrottlingException"]]);
});

test("a server that ends under its clients is told of, with the place of its log", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  const failures: Error[] = [];
  await using source = await server.open({ onFailure: (error) => failures.push(error) });
  await server.restart();
  const error = await caught(source.hashes([5]));
  assert.equal(error.code, "ERR_BLOCK_SERVER");
  assert.equal(error.message, `The block server of "${server.cacheDirectory}" has ended under its clients`);
  assert.equal(error.hint, `See why: cat ${server.cacheDirectory}/server.log`);
  assert.deepEqual(
    failures.map(({ message }) => message),
    [error.message],
  );
});

test("who is cancelled waits no longer, and what is open stays so", async () => {
  const ebs = ebsWith(BLOCKS);
  await using server = await startTestBlockServer(ebs);
  const controller = new AbortController();
  await using source = await server.open({ signal: controller.signal });
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const other = "snap-0fedcba9876543210" as SnapshotId;
  ebs.add(other, 1, { 3: blockContent(3) });
  ebs.before = () => held;
  const waiting = assert.rejects(source.hashes([5]), { message: "Received SIGINT" });
  const snapshot = { ...ADDRESS, snapshotId: other };
  const opening = assert.rejects(server.open({ signal: controller.signal, snapshot }), { message: "Received SIGINT" });
  setTimeout(() => controller.abort(new Error("Received SIGINT")), 20);
  await waiting;
  letGo();
  await opening;
  ebs.before = () => {};
  assert.ok((await readBlock(source, 5)).equals(blockContent(5)));
});

test("a server of another version says so", async () => {
  await using server = await startTestBlockServer(ebsWith(BLOCKS));
  const { Peer } = await import("./control/peer.ts");
  const { connectToDaemon } = await import("../linux/daemons/daemon-connection.ts");
  const connection = await connectToDaemon(`${server.cacheDirectory}/control.sock`);
  assert.ok(connection !== undefined);
  const peer = new Peer(connection.socket, {});
  void peer.run();
  const error = await caught(peer.call("open", { version: 0, snapshot: { ...ADDRESS, snapshotId: SNAPSHOT } }));
  assert.equal(error.message, "The block server that runs is of another version of amibake");
  await connection.leave();
});
