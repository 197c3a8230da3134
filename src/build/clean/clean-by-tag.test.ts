import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Ec2Api, ResourceKind, TaggedResource } from "../../aws/ec2-api.ts";
import { systemClock } from "../../base/clock.ts";
import { NEVER } from "../../base/never.ts";
import { openJournal } from "../journal/journal.ts";
import { cleanByTag } from "./clean-by-tag.ts";
import type { CleanEvent } from "./clean-events.ts";

const HOUR_MS = 3_600_000;
const START = new Date(Date.now() - 30 * HOUR_MS).toISOString();

function resource(id: string, build: string, more: Partial<TaggedResource> = {}): TaggedResource {
  const kind = { vol: "volume", snap: "snapshot", ami: "image" }[id.split("-")[0] ?? ""] as ResourceKind;
  const tags = { "amibake:draft": `build=${build} host=other start=${START}` };
  return { kind, id, state: "available", snapshotIds: [], attachedTo: [], tags, ...more };
}

interface Meanwhile {
  readonly isInstance?: boolean;
  readonly journalDirectory?: string;
  readonly olderThanMs?: number;
  /** What happens as the account is listed. */
  readonly onListing?: () => Promise<void>;
  /** What the account has after it was listed. */
  readonly later?: readonly TaggedResource[];
}

/** What is removed of an account that has these; and what is told. */
async function clean(found: readonly TaggedResource[], meanwhile: Meanwhile = {}) {
  const { isInstance = true, journalDirectory = "/nonexistent", olderThanMs = 24 * HOUR_MS } = meanwhile;
  const { onListing, later = found } = meanwhile;
  const removed: string[] = [];
  const events: CleanEvent[] = [];
  const remove = async (id: string) => removed.push(id) > 0;
  const calls = {
    async findTagged(kind: ResourceKind, { key, value }: { key: string; value?: string }) {
      const listed = value === undefined ? found : later.filter(({ tags }) => tags[key] === value);
      if (value === undefined) await onListing?.();
      return listed.filter((one) => one.kind === kind);
    },
    findVolume: async () => undefined,
    detachVolume: async () => {},
    ...{ deleteVolume: remove, deleteSnapshot: remove, deregisterImage: remove },
  };
  const summary = await cleanByTag({
    ec2: { ...calls, releasing: calls } as unknown as Ec2Api,
    journalDirectory,
    olderThanMs,
    findOwnInstanceId: async () => (isInstance ? "i-here" : undefined),
    isDryRun: false,
    signal: NEVER,
    clock: systemClock,
    emit: (event) => events.push(event),
  });
  const signs = events.flatMap((event) => (event.type === "draft" ? [event.draft.atWork] : []));
  return { removed: removed.sort(), leftAlone: summary.leftAlone, signs: [...new Set(signs)] };
}

test("cleanByTag() removes what a build left, also a volume that is attached to this host's instance", async () => {
  const found = [resource("vol-1", "dead", { attachedTo: ["i-here"] }), resource("snap-1", "dead")];
  assert.deepEqual(await clean(found), { removed: ["snap-1", "vol-1"], leftAlone: 0, signs: [undefined] });
});

test("cleanByTag() leaves everything of a build alone that may be at work on another host, however old it is", async () => {
  const attached = resource("vol-1", "long", { attachedTo: ["i-there"] });
  for (const [sign, told] of [
    [attached, "vol-1 is attached to i-there"],
    [resource("snap-1", "long", { state: "pending" }), "snap-1 is pending"],
    [resource("ami-1", "long", { state: "pending" }), "ami-1 is pending"],
  ] as const) {
    const found = [sign, resource("snap-2", "long"), resource("vol-3", "dead")];
    assert.deepEqual(await clean(found), { removed: ["vol-3"], leftAlone: 1, signs: [told, undefined] }, told);
  }
  // Not on an instance: wherever it is attached is elsewhere.
  assert.deepEqual((await clean([attached], { isInstance: false })).removed, []);
});

test("cleanByTag() leaves alone what was finished, or taken up, since it was listed", async () => {
  const found = [
    resource("ami-1", "long"),
    resource("snap-1", "long"),
    resource("vol-1", "long"),
    resource("vol-2", "dead"),
  ];
  const later = [
    resource("ami-1", "long", { tags: {} }),
    resource("snap-1", "another"),
    resource("vol-1", "long", { attachedTo: ["i-there"] }),
    resource("vol-2", "dead"),
  ];
  assert.deepEqual((await clean(found, { later })).removed, ["vol-2"]);
});

test("cleanByTag() leaves a build's things alone that ended while they were listed", async () => {
  const directory = await mkdtemp(join(tmpdir(), "amibake-by-tag-"));
  try {
    const place = { accountId: "123456789012", region: "us-east-1" };
    await using journal = await openJournal({ directory, buildName: "web", template: "/web.json", place });
    // EC2 still shows the tags that the build has taken off.
    const found = [resource("ami-1", "", { tags: journal.draftTags }), resource("vol-2", "dead")];
    const onListing = async () => journal[Symbol.asyncDispose]();
    const { removed } = await clean(found, { journalDirectory: directory, olderThanMs: 0, onListing });
    assert.deepEqual(removed, ["vol-2"]);
  } finally {
    await rm(directory, { recursive: true });
  }
});
