// Snapshots that are written block by block.
import { createHash } from "node:crypto";
import { CompleteSnapshotCommand, PutSnapshotBlockCommand, StartSnapshotCommand } from "@aws-sdk/client-ebs";
import { DeleteSnapshotCommand } from "@aws-sdk/client-ec2";
import { SNAPSHOT_BLOCK_BYTES } from "../../../src/base/units.ts";
import { putInput } from "../ebs-fixture.ts";
import {
  change,
  found,
  free,
  isComparable,
  madeBy,
  newSnapshot,
  type Plan,
  pick,
  tagsOf,
  type World,
} from "./attempt.ts";
import { blocksOfContent, CONTENT_BLOCKS, contentOfBlocks, contentOfPuts, type Fields, sha256 } from "./view.ts";

/** One of a few: the same content comes again, in other places. */
export function someBlock(random: () => number): Buffer {
  const seed = Math.floor(random() * 20);
  return Buffer.alloc(SNAPSHOT_BLOCK_BYTES, createHash("sha256").update(`${seed}`).digest());
}

const startSnapshot: Plan = (world) => {
  const { random, number, view } = world;
  const parent = random() < 0.6 ? pick(world, free(world, "snapshot", isComparable)) : undefined;
  const tags = tagsOf(world);
  const input = {
    VolumeSize: 1,
    Description: "block by block",
    ClientToken: `token-${number}`,
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    ...(parent === undefined ? {} : { ParentSnapshotId: parent }),
  };
  const base = parent === undefined ? "" : view[parent]?.["content"];
  const made = { kind: "upload", sizeGib: 1, description: "block by block", tags, base, puts: "" };
  return {
    uses: parent === undefined ? [] : [parent],
    isRepeatable: true,
    run: async ({ ebs }) => ({ id: (await ebs.send(new StartSnapshotCommand(input))).SnapshotId ?? "" }),
    steps: ({ id = "" }) => [{ [id]: made }],
    find: (observed) => found(madeBy(world, observed, "upload")),
  };
};

const isWritten = ({ puts }: Fields) => puts !== "";

const putBlock =
  (
    chooseUpload: (world: World) => string | undefined,
    chooseIndex: (world: World, upload: Fields) => number | undefined,
    chooseData: (world: World) => Buffer,
  ): Plan =>
  (world) => {
    const id = chooseUpload(world);
    const upload = id === undefined ? undefined : world.view[id];
    const index = upload === undefined ? undefined : chooseIndex(world, upload);
    if (index === undefined) return undefined;
    const data = chooseData(world);
    const puts = contentOfPuts(blocksOfContent(upload?.["puts"]).set(index, sha256(data)));
    const run = ({ ebs }: World["daemon"], upload: string) =>
      ebs.send(new PutSnapshotBlockCommand(putInput(upload, index, data)));
    return change(world, id, run, { puts });
  };

const anyUpload = (world: World) => pick(world, free(world, "upload"));
const writtenUpload = (world: World) => pick(world, free(world, "upload", isWritten));
const anyIndex = ({ random }: World) => Math.floor(random() * CONTENT_BLOCKS);
const writtenIndex = (world: World, { puts }: Fields) => pick(world, [...blocksOfContent(puts).keys()]);

const completeSnapshot: Plan = (world) => {
  const id = writtenUpload(world);
  const { base, puts, ...upload } = (id === undefined ? undefined : world.view[id]) ?? {};
  if (id === undefined) return undefined;
  const digests = [...blocksOfContent(puts).values()].map((hash) => Buffer.from(hash, "hex"));
  const input = {
    SnapshotId: id,
    ChangedBlocksCount: digests.length,
    Checksum: createHash("sha256").update(Buffer.concat(digests)).digest("base64"),
  };
  const content = contentOfBlocks(blocksOfContent(base, puts));
  const { description, tags } = upload;
  return {
    uses: [id],
    run: async ({ ebs }) => {
      await ebs.send(new CompleteSnapshotCommand(input));
      return {};
    },
    steps: () => [{ [id]: newSnapshot(world, { content, sizeGib: 1 }, { description, tags }) }],
  };
};

export const UPLOAD_PLANS: Readonly<Record<string, Plan>> = {
  CompleteSnapshot: completeSnapshot,
  PutSnapshotBlock: putBlock(anyUpload, anyIndex, ({ random }) => someBlock(random)),
  StartSnapshot: startSnapshot,
  "delete an upload": (world) =>
    change(
      world,
      anyUpload(world),
      ({ ec2 }, SnapshotId) => ec2.send(new DeleteSnapshotCommand({ SnapshotId })),
      undefined,
    ),
  "put a block again": putBlock(writtenUpload, writtenIndex, ({ random }) => someBlock(random)),
  "put zeros": putBlock(anyUpload, anyIndex, () => Buffer.alloc(SNAPSHOT_BLOCK_BYTES)),
};
