import assert from "node:assert/strict";
import {
  link,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FakeEbs } from "../../test/helpers/fake-ebs.ts";
import { scaledClock } from "../../test/helpers/scaled-clock.ts";
import { AwsError } from "../aws/aws-error.ts";
import type { SnapshotId } from "../base/ids.ts";
import { SNAPSHOT_BLOCK_BYTES } from "../base/units.ts";
import { runCommand } from "../linux/run-command.ts";
import { type DownloadEvent, type DownloadOptions, downloadFile } from "./download-file.ts";
import { manifestStore } from "./manifest-store.ts";

const SNAPSHOT = "snap-1" as SnapshotId;
const INDEXES = Array.from({ length: 100 }, (_, index) => index * 7);

/** A snapshot of 1 GiB, and a directory of its own. */
async function openFixture() {
  const directory = await mkdtemp(join(tmpdir(), "amibake-download-"));
  const path = join(directory, "disk.raw");
  const ebs = new FakeEbs();
  // The last block was written with zeros.
  const blocks = Object.fromEntries(INDEXES.map((index) => [index, Buffer.from(`block ${index}`)]));
  ebs.add(SNAPSHOT, 1, { ...blocks, 2000: Buffer.alloc(0) });
  const events: DownloadEvent[] = [];
  const manifests = manifestStore({ AMIBAKE_STATE_DIR: join(directory, "state") });
  return {
    directory,
    path,
    ebs,
    manifests,
    download: (changes: Partial<DownloadOptions> = {}) =>
      downloadFile({
        snapshotId: SNAPSHOT,
        path,
        force: false,
        ebs,
        manifests,
        signal: new AbortController().signal,
        clock: scaledClock(1000),
        emit: (event) => events.push(event),
        ...changes,
      }),
    told: (type: DownloadEvent["type"]) => events.filter((event) => event.type === type),
    names: async () => (await readdir(directory)).filter((name) => name !== "state").sort(),
    async checkContent() {
      await using file = await open(path, "r");
      assert.equal((await file.stat()).size, 1024 ** 3);
      const buffer = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
      const expected = Buffer.alloc(SNAPSHOT_BLOCK_BYTES);
      for (const index of [...INDEXES, 2000, 1, 2047]) {
        await file.read(buffer, 0, buffer.length, index * SNAPSHOT_BLOCK_BYTES);
        expected.fill(0);
        if (INDEXES.includes(index)) expected.write(`block ${index}`);
        assert.ok(buffer.equals(expected), `block ${index} begins with ${buffer.toString("latin1", 0, 20)}`);
      }
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}

function failAfter(ebs: FakeEbs, getCount: number): void {
  ebs.before = (call) => {
    if (call !== "getSnapshotBlock" || getCount-- > 0) return;
    throw new AwsError("GetSnapshotBlock", "AccessDeniedException", "no more");
  };
}

test("a snapshot becomes a sparse file, and nothing else is left", async () => {
  await using fixture = await openFixture();
  assert.deepEqual(await fixture.download(), { sizeGib: 1, blockCount: 101 });
  await fixture.checkContent();
  assert.deepEqual(await fixture.names(), ["disk.raw"]);
  const allocatedBytes = (await stat(fixture.path)).blocks * 512;
  assert.ok(allocatedBytes <= 100 * 65_536 + 65_536, String(allocatedBytes));
  const manifest = await fixture.manifests.read(SNAPSHOT);
  assert.deepEqual([...(manifest?.blocks.indexes() ?? [])], [...INDEXES, 2000]);
});

test("an interrupted download goes on where it was", async () => {
  await using fixture = await openFixture();
  const { ebs } = fixture;
  failAfter(ebs, 40);
  await assert.rejects(fixture.download(), { awsCode: "AccessDeniedException" });
  assert.deepEqual(await fixture.names(), ["disk.raw.part", "disk.raw.part.log"]);
  ebs.before = () => {};
  await fixture.download();
  await fixture.checkContent();
  assert.deepEqual(fixture.told("resumed"), [{ type: "resumed", writtenBlocks: 40 }]);
  assert.equal(ebs.gets.length, 101, "each block once");
  assert.deepEqual(await fixture.names(), ["disk.raw"]);
});

test("what an earlier run wrote and the disk lost, or cut off, is fetched again", async () => {
  await using fixture = await openFixture();
  const { ebs, path } = fixture;
  failAfter(ebs, 40);
  await assert.rejects(fixture.download());
  const kept = new Set(ebs.gets);
  const [lost = 0] = kept;
  const unwritten = INDEXES.find((index) => !kept.has(index)) ?? 0;
  {
    await using part = await open(`${path}.part`, "r+");
    await part.write(Buffer.alloc(SNAPSHOT_BLOCK_BYTES), 0, SNAPSHOT_BLOCK_BYTES, lost * SNAPSHOT_BLOCK_BYTES);
    // Of blocks whose writes did not come to an end, one of zeros too.
    for (const index of [unwritten, 2000]) await part.write("garbage", index * SNAPSHOT_BLOCK_BYTES + 5000);
  }
  ebs.before = () => {};
  await fixture.download();
  await fixture.checkContent();
  assert.deepEqual(fixture.told("resumed"), [{ type: "resumed", writtenBlocks: 39 }]);
  assert.equal(ebs.gets.length, 102);
});

test("what is left of another snapshot is not gone on with", async () => {
  await using fixture = await openFixture();
  const { ebs } = fixture;
  ebs.add("snap-2" as SnapshotId, 1, { 1: Buffer.from("another"), 2047: Buffer.from("another") });
  failAfter(ebs, 1);
  await assert.rejects(fixture.download({ snapshotId: "snap-2" as SnapshotId }));
  ebs.before = () => {};
  await fixture.download();
  await fixture.checkContent();
  assert.deepEqual(fixture.told("resumed"), []);
});

test("wherever a run dies that begins anew, nothing of another snapshot stays in the file", async (t) => {
  let died = true;
  for (let callCount = 0; died; callCount++) {
    await using fixture = await openFixture();
    const { ebs } = fixture;
    ebs.add("snap-2" as SnapshotId, 1, { 1: Buffer.from("another"), 2047: Buffer.from("another") });
    failAfter(ebs, 1);
    await assert.rejects(fixture.download({ snapshotId: "snap-2" as SnapshotId }));
    // The next one would fetch, so it has begun.
    failAfter(ebs, 0);
    const death = await dieAfter(t, callCount, fixture.directory);
    await assert.rejects(fixture.download());
    died = death();
    ebs.before = () => {};
    await fixture.download();
    await fixture.checkContent();
  }
});

/**
 * Lets everything fail that changes a file, after this many such calls.
 *
 * @returns what ends it, and tells whether anything failed.
 */
async function dieAfter(t: TestContext, callCount: number, directory: string): Promise<() => boolean> {
  await using file = await open(directory, "r");
  const handles = Object.getPrototypeOf(file);
  let count = 0;
  const mocks = (["truncate", "write", "datasync"] as const).map((name) => {
    const method = handles[name];
    return t.mock.method(handles, name, function (this: unknown, ...values: unknown[]) {
      if (count++ >= callCount) throw new Error("killed");
      return method.apply(this, values);
    });
  });
  return () => {
    for (const { mock } of mocks) mock.restore();
    return count > callCount;
  };
}

test("a file that is there is replaced only with force, and only at the end", async () => {
  await using fixture = await openFixture();
  const { path, ebs } = fixture;
  await writeFile(path, "mine");
  await assert.rejects(fixture.download(), {
    code: "ERR_FILE_EXISTS",
    message: `Cannot download to "${path}": the file exists`,
    hint: "Replace it with --force, or choose another name",
  });
  failAfter(ebs, 3);
  await assert.rejects(fixture.download({ force: true }), { awsCode: "AccessDeniedException" });
  assert.equal(await readFile(path, "utf8"), "mine");
  ebs.before = () => {};
  await fixture.download({ force: true });
  await fixture.checkContent();
});

test("one that appears meanwhile is not replaced", async () => {
  await using fixture = await openFixture();
  fixture.ebs.before = async (_call, blockIndex) => {
    if (blockIndex === 70) await writeFile(fixture.path, "mine");
  };
  await assert.rejects(fixture.download(), { code: "ERR_FILE_EXISTS" });
  assert.equal(await readFile(fixture.path, "utf8"), "mine");
});

test("nor is one that appears at the very end; all that was fetched is kept", async (t) => {
  await using fixture = await openFixture();
  const { path, directory, ebs } = fixture;
  {
    await using file = await open(directory, "r");
    const handles = Object.getPrototypeOf(file);
    const { datasync } = handles;
    // The last thing before the file gets its name.
    const { mock } = t.mock.method(handles, "datasync", async function (this: unknown) {
      if (ebs.gets.length === 101) await writeFile(path, "mine");
      return datasync.call(this);
    });
    await assert.rejects(fixture.download(), {
      code: "ERR_FILE_EXISTS",
      message: `Cannot download to "${path}": the file exists`,
      hint: /^It came while this ran\. Move it away, or add --force/,
    });
    mock.restore();
  }
  assert.equal(await readFile(path, "utf8"), "mine");
  assert.deepEqual(await fixture.names(), ["disk.raw", "disk.raw.part", "disk.raw.part.log"]);
  await rm(path);
  await fixture.download();
  await fixture.checkContent();
  assert.equal(ebs.gets.length, 101, "nothing is fetched again");
});

test("a file that has its name, and that of the partial file still, is left alone", async () => {
  await using fixture = await openFixture();
  const { path, ebs } = fixture;
  await fixture.download();
  await link(path, `${path}.part`);
  ebs.add("snap-2" as SnapshotId, 1, { 1: Buffer.from("another") });
  failAfter(ebs, 0);
  await assert.rejects(fixture.download({ snapshotId: "snap-2" as SnapshotId, force: true }));
  await fixture.checkContent();
  assert.equal((await stat(path)).nlink, 1, "the new download writes another file");
});

test("through a link the file is replaced that it leads to, with force only", async () => {
  await using fixture = await openFixture();
  const { path, directory, ebs } = fixture;
  await mkdir(join(directory, "disks"));
  const target = join(directory, "disks", "golden.raw");
  await symlink("disks/golden.raw", path);
  await assert.rejects(fixture.download({ force: true }), {
    code: "ERR_DOWNLOAD",
    message: `Cannot download to "${path}": it is a symbolic link that leads to nothing`,
  });
  assert.equal(ebs.gets.length, 0);
  await writeFile(target, "mine");
  await assert.rejects(fixture.download(), { code: "ERR_FILE_EXISTS" });
  failAfter(ebs, 3);
  await assert.rejects(fixture.download({ force: true }), { awsCode: "AccessDeniedException" });
  assert.deepEqual((await readdir(join(directory, "disks"))).sort(), [
    "golden.raw",
    "golden.raw.part",
    "golden.raw.part.log",
  ]);
  const [started] = fixture.told("started");
  assert.ok(started?.type === "started" && started.partPath === `${target}.part`);
  ebs.before = () => {};
  await fixture.download({ force: true });
  assert.equal(await readlink(path), "disks/golden.raw");
  await fixture.checkContent();
  assert.deepEqual(await readdir(join(directory, "disks")), ["golden.raw"]);
});

test("a FIFO is refused and not waited for, whichever of the files it is", async () => {
  await using fixture = await openFixture();
  for (const suffix of ["", ".part.log", ".part"]) {
    const fifo = `${fixture.path}${suffix}`;
    await runCommand(["mkfifo", fifo]);
    await assert.rejects(fixture.download({ force: true }), {
      code: "ERR_DOWNLOAD",
      message: `Cannot ${suffix === "" ? "download to" : "write"} "${fifo}": it is a FIFO, not a regular file`,
    });
    await rm(fifo);
  }
  assert.equal(fixture.ebs.gets.length, 0);
});

test("where nothing can be written is told before anything is fetched", async () => {
  await using fixture = await openFixture();
  const { directory, ebs } = fixture;
  await assert.rejects(fixture.download({ path: join(directory, "none", "disk.raw") }), {
    code: "ERR_NO_DIRECTORY",
    hint: `Make it first: mkdir -p "${join(directory, "none")}"`,
  });
  await mkdir(join(directory, "folder"));
  await assert.rejects(fixture.download({ path: join(directory, "folder"), force: true }), {
    message: /it is a directory, not a regular file$/,
  });
  await symlink(join(directory, "elsewhere"), join(directory, "trap.part"));
  await assert.rejects(fixture.download({ path: join(directory, "trap") }), { code: "ERR_DOWNLOAD", message: /ELOOP/ });
  assert.equal(ebs.gets.length, 0);
});

test("two at once: the second is told who writes the file", async () => {
  await using fixture = await openFixture();
  let hasAsked = false;
  fixture.ebs.before = async (call) => {
    if (call !== "getSnapshotBlock" || hasAsked) return;
    hasAsked = true;
    await assert.rejects(fixture.download(), { code: "ERR_DOWNLOAD", message: /process \d+ \(.*\) does so already$/ });
  };
  await fixture.download();
  assert.ok(hasAsked);
});

test("tokens that expire in the middle are asked for again", async () => {
  await using fixture = await openFixture();
  let gets = 0;
  fixture.ebs.before = (call) => {
    if (call === "getSnapshotBlock" && [20, 150].includes(++gets)) fixture.ebs.expireTokens();
  };
  await fixture.download();
  await fixture.checkContent();
});
