import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ProblemList } from "../../../base/problems.ts";
import { readTemplateFiles } from "./template-files.ts";

const NOBODY = 65_534;

/** Root may read everything: what it cannot show, another user can. */
async function asPlainUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

test("a directory that may not be read is a problem", async () => {
  // Not in the directory that the runner gives a test: that is root's alone.
  const around = await mkdtemp("/tmp/amibake-files-");
  try {
    await chmod(around, 0o755);
    const directory = join(around, "d");
    await mkdir(directory, { mode: 0 });
    const problems = new ProblemList();
    assert.equal(await asPlainUser(() => readTemplateFiles(directory, problems)), undefined);
    assert.deepEqual(
      problems.sorted([]).map(({ message }) => message),
      [`Cannot read the directory "${directory}": this user may not read it`],
    );
  } finally {
    await rm(around, { recursive: true, force: true });
  }
});
