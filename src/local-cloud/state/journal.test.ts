import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Change, Journal } from "./journal.ts";

interface OpenJournal extends AsyncDisposable {
  readonly path: string;
  readonly records: Map<string, unknown>;
  readonly journal: Journal;
  set(key: string, record: unknown): void;
  reopen(): Promise<OpenJournal>;
}

async function openAt(path: string): Promise<OpenJournal> {
  const records = new Map<string, unknown>();
  const apply = ([, key, record]: Change) => (record === null ? records.delete(key) : records.set(key, record));
  const journal = await Journal.open(path, apply, () => [...records].map(([key, record]) => ["t", key, record]));
  return {
    path,
    records,
    journal,
    set(key, record) {
      apply(["t", key, record]);
      journal.note(["t", key, record]);
    },
    async reopen() {
      await journal[Symbol.asyncDispose]();
      return openAt(path);
    },
    [Symbol.asyncDispose]: () => journal[Symbol.asyncDispose](),
  };
}

async function withDirectory(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "amibake-journal-"));
  try {
    await work(join(directory, "journal.jsonl"));
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("A journal gives back what was committed", () =>
  withDirectory(async (path) => {
    const first = await openAt(path);
    first.set("a", { n: 1 });
    first.set("b", { n: 2 });
    await first.journal.commit();
    first.set("a", null);
    first.set("c", { text: "line\nbreak é" });
    await first.journal.commit();
    await using second = await first.reopen();
    assert.deepEqual(
      [...second.records],
      [
        ["b", { n: 2 }],
        ["c", { text: "line\nbreak é" }],
      ],
    );
  }));

test("Commits that come together share lines, and each waits for its own", () =>
  withDirectory(async (path) => {
    await using open = await openAt(path);
    const commits = Array.from({ length: 100 }, async (_, index) => {
      open.set(`k${index}`, index);
      await open.journal.commit();
      // Whatever else is under way, this one is on disk now.
      assert.match(await readFile(path, "utf8"), new RegExp(`"k${index}"`));
    });
    await Promise.all(commits);
    const lineCount = (await readFile(path, "utf8")).split("\n").length - 1;
    assert.ok(lineCount < 10, `${lineCount} lines`);
  }));

test("A torn last line is dropped at every place it can be cut, and what follows is written behind it", () =>
  withDirectory(async (path) => {
    const first = await openAt(path);
    first.set("kept", 1);
    await first.journal.commit();
    await first.journal[Symbol.asyncDispose]();
    const { size: keptBytes } = await stat(path);
    const torn = `${JSON.stringify([
      ["t", "torn", { text: "é" }],
      ["t", "kept", 2],
    ])}`;
    for (let length = 1; length <= Buffer.byteLength(torn); length++) {
      await truncate(path, keptBytes);
      await appendFile(path, Buffer.from(torn).subarray(0, length));
      const open = await openAt(path);
      assert.deepEqual([...open.records], [["kept", 1]]);
      open.set("next", length);
      await open.journal.commit();
      await using again = await open.reopen();
      assert.deepEqual(
        [...again.records],
        [
          ["kept", 1],
          ["next", length],
        ],
      );
    }
  }));

test("A damaged line in the middle is not skipped", () =>
  withDirectory(async (path) => {
    await writeFile(path, '[["t","a",1]]\n[["t","b"\n[["t","c",3]]\n');
    await assert.rejects(openAt(path), {
      code: "ERR_STORE_DAMAGED",
      message: `Cannot read "${path}": line 2 is not JSON`,
    });
  }));

test("A long history is compacted, and nothing is lost by it", () =>
  withDirectory(async (path) => {
    const open = await openAt(path);
    for (let round = 0; round < 3_000; round++) {
      open.set(`k${round % 10}`, { round });
      if (round % 100 === 99) await open.journal.commit();
    }
    await open.journal.commit();
    const expected = [...open.records].sort();
    const lineCount = (await readFile(path, "utf8")).split("\n").length - 1;
    assert.ok(lineCount < 100, `${lineCount} lines`);
    await using again = await open.reopen();
    assert.deepEqual([...again.records].sort(), expected);
  }));
