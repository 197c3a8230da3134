import assert from "node:assert/strict";
import fileSystem, { mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { renameToNew } from "./rename-to-new.ts";

/** As on FAT, which has no hard links. */
function refuseLinks(t: TestContext): void {
  const { mock } = t.mock.method(fileSystem, "link", async () => {
    throw Object.assign(new Error("EPERM: operation not permitted, link"), { code: "EPERM" });
  });
  syncBuiltinESMExports();
  t.after(() => {
    mock.restore();
    syncBuiltinESMExports();
  });
}

for (const hasLinks of [true, false]) {
  test(`a file gets a new name, and replaces neither file nor link ${hasLinks ? "with" : "without"} hard links`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "amibake-rename-"));
    t.after(() => rm(directory, { recursive: true }));
    if (!hasLinks) refuseLinks(t);
    const [from, to] = [join(directory, "from"), join(directory, "to")];
    await writeFile(from, "new");
    await writeFile(to, "old");
    await assert.rejects(renameToNew(from, to), { code: "EEXIST" });
    assert.deepEqual([await readFile(from, "utf8"), await readFile(to, "utf8")], ["new", "old"]);
    await rm(to);
    await symlink("nowhere", to);
    await assert.rejects(renameToNew(from, to), { code: "EEXIST" });
    await rm(to);
    await renameToNew(from, to);
    assert.deepEqual(await readdir(directory), ["to"]);
    assert.equal(await readFile(to, "utf8"), "new");
    await assert.rejects(renameToNew(from, join(directory, "other")), { code: "ENOENT" });
    // Without hard links only the fallback could have left something.
    assert.deepEqual(await readdir(directory), ["to"]);
  });
}
