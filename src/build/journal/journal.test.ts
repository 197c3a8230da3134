import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openJournal } from "./journal.ts";
import { DRAFT_TAG, draftValue, parseDraftValue, parseJournal } from "./journal-entries.ts";

const PLACE = { accountId: "123456789012", region: "us-east-1" };

async function openIn(directory: string) {
  return openJournal({ directory, buildName: "web", template: "/web.json", place: PLACE });
}

async function scratch() {
  const directory = await mkdtemp(join(tmpdir(), "amibake-journal-"));
  return { directory, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) };
}

test("a journal says what may exist: announced, made and not gone", async () => {
  await using place = await scratch();
  await using journal = await openIn(place.directory);
  const volume = await journal.intend({ kind: "volume", clientToken: "token" });
  await volume.made("vol-1");
  const snapshot = await journal.intend({ kind: "snapshot" });
  const image = await journal.intend({ kind: "image" });
  await snapshot.gone();
  const record = parseJournal(await readFile(journal.path, "utf8"));
  assert.deepEqual(record?.build.place, PLACE);
  assert.equal(record?.build.draft, journal.draftTags[DRAFT_TAG]);
  assert.deepEqual(
    record?.open.map(({ kind, id }) => [kind, id]),
    [
      ["volume", "vol-1"],
      ["image", undefined],
    ],
  );
  await Promise.all([volume.gone(), image.gone()]);
});

test("a journal with nothing open is removed at its end, one with something is not", async () => {
  await using place = await scratch();
  {
    await using journal = await openIn(place.directory);
    await (await journal.intend({ kind: "snapshot" })).gone();
  }
  assert.deepEqual(await readdir(place.directory), []);
  {
    await using journal = await openIn(place.directory);
    await journal.intend({ kind: "snapshot" });
  }
  assert.equal((await readdir(place.directory)).length, 1);
});

test("a finished image and its snapshots are not open any more; its volume still is", async () => {
  await using place = await scratch();
  await using journal = await openIn(place.directory);
  for (const [kind, id] of [
    ["volume", "vol-1"],
    ["snapshot", "snap-1"],
    ["image", "ami-1"],
  ] as const) {
    await (await journal.intend({ kind })).made(id);
  }
  await journal.finish("ami-1", ["snap-1"]);
  const record = parseJournal(await readFile(journal.path, "utf8"));
  assert.deepEqual(
    record?.open.map(({ id }) => id),
    ["vol-1"],
  );
  assert.equal(record?.finished?.imageId, "ami-1");
});

test("a volume that is gone is attached nowhere", async () => {
  await using place = await scratch();
  await using journal = await openIn(place.directory);
  const volume = await journal.intend({ kind: "volume" });
  await volume.made("vol-1");
  await journal.intend({ kind: "attachment", volumeId: "vol-1", instanceId: "i-1" });
  await volume.gone();
  assert.deepEqual(parseJournal(await readFile(journal.path, "utf8"))?.open, []);
});

test("wherever a journal is torn, what stands before is read", async () => {
  await using place = await scratch();
  await using journal = await openIn(place.directory);
  await (await journal.intend({ kind: "volume" })).made("vol-1");
  const text = await readFile(journal.path, "utf8");
  const lengths = text.split("\n").map((_, index, lines) => lines.slice(0, index).join("\n").length);
  for (let length = 0; length <= text.length; length++) {
    const record = parseJournal(text.slice(0, length));
    const lines = text.slice(0, length).split("\n").length - 1;
    assert.equal(record?.open.length, [undefined, 0, 1, 1][lines], `${length} of ${lengths.at(-1)}`);
    if (lines === 3) assert.equal(record?.open[0]?.id, "vol-1");
  }
});

test("a directory that cannot be written is an error that names it", async () => {
  await assert.rejects(openIn("/proc/nowhere"), { code: "ERR_JOURNAL", message: /\/proc\/nowhere/ });
});

test("a draft tag tells its build and when that began", () => {
  const startTime = "2026-01-02T03:04:05.000Z";
  const value = draftValue({ id: "b-1", host: "a host/ü", startTime });
  assert.match(value, /^[\w .:/=+@-]{1,256}$/);
  assert.deepEqual(parseDraftValue(value), { buildId: "b-1", startMs: Date.parse(startTime) });
  assert.deepEqual(parseDraftValue("something else"), { buildId: undefined, startMs: Number.NaN });
});
