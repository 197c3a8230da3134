import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { test } from "node:test";
import { runAmibake } from "../helpers/amibake-cli.ts";

/** What each example needs on its command line. An example that is not named here fails. */
const ARGUMENTS: Readonly<Record<string, readonly string[]>> = {
  "amazon-linux": ["-var-file=examples/amazon-linux/staging.json"],
  "debian-web": [],
  "first-image": ["-var", "source_ami=ami-0123456789abcdef0"],
};

for (const name of await readdir("examples")) {
  test(`amibake validate accepts examples/${name}`, async () => {
    const args = ARGUMENTS[name];
    assert.ok(args !== undefined, `"${name}" is not named in this test`);
    const result = await runAmibake(["validate", ...args, `examples/${name}/template.json`]);
    assert.equal(result.stderr, "");
    assert.equal(result.exitCode, 0);
  });
}
