import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CompleteSnapshotCommand, PutSnapshotBlockCommand } from "@aws-sdk/client-ebs";
import { seededRandom } from "../../src/base/random.ts";
import { decodePending } from "../../src/local-cloud/storage/pending-snapshot.ts";
import { blockOf, putInput, readSnapshot, sha256, startSnapshot } from "../helpers/ebs-fixture.ts";
import { isCutOff } from "../helpers/kill-campaign/campaign.ts";
import { type KilledDaemon, startDaemon } from "../helpers/kill-campaign/daemon.ts";

const KILLS = 2;
const WRITERS = 16;
/** Each writer has indexes of its own, and comes back to them. */
const INDEXES_OF_WRITER = 6;
/** A kill comes after so many puts, or up to twice as many, while the others go on. */
const PUTS_BEFORE_KILL = 40;

/** What the cloud may have at an index: what it acknowledged last, or what was under way at the kill. */
interface Possible {
  readonly acknowledged: string | undefined;
  readonly underWay: string | undefined;
}

test(`${KILLS} kills in the middle of many puts lose none that was acknowledged, and leave no block too many`, async (context) => {
  const seed = Number(process.env["AMIBAKE_TEST_SEED"] ?? Date.now() % 1_000_000);
  context.diagnostic(`seed ${seed}: repeat with AMIBAKE_TEST_SEED=${seed}`);
  const random = seededRandom(seed);
  const scratch = await mkdtemp(join(tmpdir(), "amibake-upload-kill-"));
  const storeDirectory = join(scratch, "store");
  let written: ReadonlyMap<number, string> = new Map();
  let underWayCount = 0;
  let daemon: KilledDaemon | undefined;
  try {
    daemon = await (await startDaemon(storeDirectory)).ready;
    const id = await startSnapshot(daemon.ebs);
    for (let kill = 0; kill < KILLS; kill++) {
      const killAfter = Math.floor(PUTS_BEFORE_KILL * (1 + random()));
      const possible = await writeUntilKilled(daemon, id, written, { round: `round ${kill}`, killAfter });
      underWayCount += [...possible.values()].filter(({ underWay }) => underWay !== undefined).length;
      daemon = await (await startDaemon(storeDirectory)).ready;
      written = await assertKept(storeDirectory, id, possible);
    }
    context.diagnostic(`${written.size} blocks, ${underWayCount} puts were under way at the kills`);
    assert.ok(underWayCount >= KILLS);
    const ascending = [...written].sort(([a], [b]) => a - b);
    const Checksum = sha256(Buffer.concat(ascending.map(([, text]) => sha256(blockOf(text))))).toString("base64");
    const input = { SnapshotId: id, ChangedBlocksCount: ascending.length, Checksum };
    await daemon.ebs.send(new CompleteSnapshotCommand(input));
    assert.deepEqual(await readSnapshot(daemon.ebs, id), Object.fromEntries(ascending));
  } finally {
    await daemon?.stop();
    await rm(scratch, { recursive: true });
  }
});

async function writeUntilKilled(
  daemon: KilledDaemon,
  id: string,
  before: ReadonlyMap<number, string>,
  { round, killAfter }: { readonly round: string; readonly killAfter: number },
): Promise<ReadonlyMap<number, Possible>> {
  const possible = new Map<number, Possible>(
    [...before].map(([index, text]) => [index, { acknowledged: text, underWay: undefined }]),
  );
  let doneCount = 0;
  let killed: Promise<void> | undefined;
  const writers = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let turn = 0; ; turn++) {
      const index = writer * INDEXES_OF_WRITER + (turn % INDEXES_OF_WRITER);
      // Some are zeros, and some are at several places.
      const text = turn % 7 === 0 ? "" : `${round} ${turn % 3 === 0 ? "shared" : writer} ${turn}`;
      const acknowledged = possible.get(index)?.acknowledged;
      possible.set(index, { acknowledged, underWay: text });
      try {
        await daemon.ebs.send(new PutSnapshotBlockCommand(putInput(id, index, blockOf(text))));
      } catch (error) {
        if (isCutOff(error)) return;
        throw error;
      }
      possible.set(index, { acknowledged: text, underWay: undefined });
      doneCount += 1;
      if (doneCount === killAfter) killed = daemon.kill();
    }
  });
  await Promise.all(writers);
  await killed;
  return possible;
}

/** @returns the text of each block that is there. */
async function assertKept(
  storeDirectory: string,
  id: string,
  possible: ReadonlyMap<number, Possible>,
): Promise<ReadonlyMap<number, string>> {
  const path = join(storeDirectory, "snapshots", `${id}.pending`);
  const { puts } = decodePending(await readFile(path), path);
  const kept = new Map<number, string>();
  const used = new Set<string>();
  for (const [index, { acknowledged, underWay }] of possible) {
    const hash = puts.get(index);
    const text = [underWay, acknowledged].find((candidate) => hash === hashOf(candidate));
    assert.ok(text !== undefined || hash === undefined, `block ${index} is none that was put there`);
    assert.ok(text !== undefined || acknowledged === undefined, `block ${index} was acknowledged, and is gone`);
    if (text === undefined) continue;
    kept.set(index, text);
    if (text !== "") used.add(hash ?? "");
  }
  assert.deepEqual([...puts.keys()].toSorted(), [...kept.keys()].toSorted());
  const names = await readdir(join(storeDirectory, "blocks"), { recursive: true });
  const files = names.filter((name) => name.includes("/")).map((name) => name.replace("/", ""));
  assert.deepEqual(files.toSorted(), [...used].toSorted(), "the files of blocks are those that are used");
  return kept;
}

function hashOf(text: string | undefined): string | undefined {
  return text === undefined ? undefined : sha256(blockOf(text)).toString("hex");
}
